# Included by the tests of this folder.
cmake_minimum_required(VERSION 3.25)
file(REMOVE_RECURSE "${work}")
unset(ENV{CXX}) # what the caller likes to compile with
unset(ENV{CXXFLAGS})

# configure(<folder> ARGS...): configures the project in a folder of `work`; the commands that
# compile what is written by hand, one a line, are in `commands` afterwards.
function(configure folder)
  execute_process(COMMAND ${CMAKE_COMMAND} -S ${top} -B ${work}/${folder} ${ARGN}
    WORKING_DIRECTORY "${top}" RESULT_VARIABLE code OUTPUT_VARIABLE out ERROR_VARIABLE out)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "configuring ${folder} failed (${code}):\n${out}")
  endif()
  file(STRINGS "${work}/${folder}/compile_commands.json" lines REGEX "^ *\"command\": ")
  list(FILTER lines EXCLUDE REGEX "holdfast_(proto|headers_alone)\\.dir")
  if(NOT lines)
    message(FATAL_ERROR "${folder} compiles nothing")
  endif()
  set(commands "${lines}" PARENT_SCOPE)
endfunction()
