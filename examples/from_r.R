# Who goes where, from R through the command line. Run: Rscript examples/from_r.R instances/chasiv-yar out/from-r
# Needs jsonlite, and `matcher` on the path (or its full name in MATCHER).

library(jsonlite)

arguments <- commandArgs(trailingOnly = TRUE)
instance <- arguments[1]
out <- arguments[2]
program <- Sys.getenv("MATCHER", "matcher")
Sys.unsetenv("LD_LIBRARY_PATH")   # R's own libraries are not the program's

matcher <- function(...) {
  words <- strsplit(program, " ")[[1]]
  text <- suppressWarnings(system2(words[1], c(words[-1], shQuote(c(..., "--json"))), stdout = TRUE))
  answer <- fromJSON(paste(text, collapse = "\n"))
  if (!is.null(answer$error)) {
    if (!is.null(answer$error$faults)) print(answer$error$faults)   # file, line, column, code, message
    stop(answer$error$kind, " (exit code ", answer$error$exit_code, ")")
  }
  answer
}

summary <- matcher("solve", instance, "--out", out, "--date", "2026-11-22", "--quiet")
cat(summary$status, ":", summary$persons$placed, "persons placed,", summary$persons$unplaced, "unplaced\n")

# Ids are text: 007 stays 007.
placements <- read.csv(file.path(out, "placements.csv"), colClasses = c(household_id = "character", accommodation_id = "character"))
print(aggregate(persons ~ place, data = placements, FUN = sum))

first <- matcher("explain", instance, out, placements$household_id[1])
cat(first$household_id, "goes to", first$accommodation_id, "in", first$place, ",", first$km, "km\n")
