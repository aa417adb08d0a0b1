# Run by ctest: -D program=... -D sample=... -D work=... What package_index reads: what apt-cache
# prints, the dpkg status file, a file; with stand-ins for the first two. And how it shows that.
file(REMOVE_RECURSE "${work}")
file(MAKE_DIRECTORY "${work}/bin")
include("${CMAKE_CURRENT_LIST_DIR}/run_program.cmake")
set(ENV{PATH} "${work}/bin:$ENV{PATH}")
set(status ${work}/status)

# apt_cache(<shell command>): what `apt-cache dumpavail` does.
function(apt_cache does)
  file(WRITE "${work}/bin/apt-cache" "#!/bin/sh\n[ \"$*\" = dumpavail ] || exit 1\n${does}\n")
  file(CHMOD "${work}/bin/apt-cache" PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
endfunction()

apt_cache("cat '${sample}'")
file(WRITE "${status}" "Package: installed\nVersion: 1\n")
run("the index that apt has" 0 ARGS --data ${work}/apt --status ${status} sections
  PATTERNS "loading apt-cache dumpavail: 192 in" "7 broken lines skipped")
run("the same once more" 0 ARGS --data ${work}/apt --status ${work}/absent
  PATTERNS "restored 193 records" "queries over 192 packages")
if(out MATCHES "loading")
  message(FATAL_ERROR "loaded again what was there:\n${out}")
endif()

apt_cache("echo E: no lists >&2")
run("apt has no lists" 0 ARGS --data ${work}/dpkg --status ${status} prefix inst
  PATTERNS "loading ${status}: 1 in" "names that begin with 'inst': 1 in" "installed  +1 ")
run("neither has anything" 1 ARGS --data ${work}/nothing --status ${work}/absent
  PATTERNS "^the store in [^\n]*\n  nothing there yet\npackage_index: neither apt-cache dumpavail nor \
${work}/absent has packages\n$")
run("the status file is the machine's own" 0 ARGS --help
  PATTERNS "--status TEXT.?.?/var/lib/dpkg/status")

apt_cache("echo apt-cache must not be asked; touch '${work}/asked'")
run("a file" 0 ARGS --data ${work}/file --file ${sample} --status ${status} largest 3
  PATTERNS "loading ${sample}: 192 in" "largest installed sizes: 3 in")
if(EXISTS "${work}/asked")
  message(FATAL_ERROR "asks apt-cache although it was given a file")
endif()
string(ASCII 27 escape)
if(out MATCHES "\r|${escape}")
  message(FATAL_ERROR "draws a bar where there is no terminal:\n${out}")
endif()

# On a terminal, the bar is drawn over itself and makes way for the closing line.
find_program(script script)
if(NOT script)
  message(STATUS "no terminal to be had without script(1): the bar is not looked at")
  return()
endif()
set(on_terminal "${program} --data ${work}/terminal --file ${sample} sections")
set(program ${script})
run("a load on a terminal" 0 ARGS -q -e -c ${on_terminal} /dev/null
  PATTERNS "\r  loading ${sample} \\[#*\\.+\\] +[0-9]+ %  [0-9]+\r"
    "\r${escape}.K  loading ${sample}: 192 in [0-9.]+ s \\([0-9,]+ per second\\)\n")
