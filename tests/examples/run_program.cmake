# Included by the tests of package_index.

# run(<what> <expected exit code> PATTERNS <regex...> ARGS <...>): runs the program; what it printed is
# in `out`, and on its standard error in `err`.
function(run what expected)
  cmake_parse_arguments(arg "" "" "PATTERNS;ARGS" ${ARGN})
  execute_process(COMMAND ${program} ${arg_ARGS} RESULT_VARIABLE code OUTPUT_VARIABLE out
    ERROR_VARIABLE err TIMEOUT 120)
  if(NOT code MATCHES "^(${expected})$")
    message(FATAL_ERROR "${what}: ended with '${code}', not '${expected}'\n${out}${err}")
  endif()
  foreach(pattern IN LISTS arg_PATTERNS)
    if(NOT "${out}${err}" MATCHES "${pattern}")
      message(FATAL_ERROR "${what}: no '${pattern}' in\n${out}${err}")
    endif()
  endforeach()
  set(out "${out}" PARENT_SCOPE)
  set(err "${err}" PARENT_SCOPE)
endfunction()
