# Run by ctest, see CMakeLists.txt.
file(REMOVE_RECURSE "${work}")
file(MAKE_DIRECTORY "${work}")
foreach(time IN ITEMS first second)
  execute_process(COMMAND ${program} WORKING_DIRECTORY "${work}" RESULT_VARIABLE code
    OUTPUT_VARIABLE out ERROR_VARIABLE out TIMEOUT 30)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "the ${time} run ended with ${code}:\n${out}")
  endif()
  message(STATUS "${time} run:\n${out}")
endforeach()
