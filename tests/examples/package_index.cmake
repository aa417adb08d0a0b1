# Run by ctest: -D program=... -D sample=... -D work=... Runs package_index as a newcomer would: a first
# run, a second, one that kills itself, and the one after it.
file(REMOVE_RECURSE "${work}")
file(MAKE_DIRECTORY "${work}")
set(arguments --data ${work}/data --file ${sample})

include("${CMAKE_CURRENT_LIST_DIR}/run_program.cmake")

run("first run" 0 ARGS ${arguments} PATTERNS "nothing there yet" ": 192 in .* per second"
  "line 109 skipped: no ':' in 'this line has no colon'" "7 broken lines skipped, 0 packages refused"
  "packages per section" "largest installed sizes: 5 in" "plan: packages: " "was crashed"
  "reads 192 packages \\(192 before\\)")
run("second run" 0 ARGS ${arguments}
  PATTERNS "restored 193 records in [0-9.]+ ms" "queries over 192 packages")
run("a query alone" 0 ARGS ${arguments} prefix lib PATTERNS "names that begin with 'lib': [0-9]+ in")
run("a run that kills itself" "Subprocess killed|SIGKILL|137" ARGS ${arguments} --crash
  PATTERNS "packages are acknowledged; now SIGKILL")
run("the run after the kill" 0 ARGS ${arguments}
  PATTERNS "nothing acknowledged was lost" "queries over 192 packages")
run("a file that is not there" "[1-9][0-9]*" ARGS --data ${work}/data --file ${work}/absent
  PATTERNS "--file: File does not exist: ${work}/absent")
