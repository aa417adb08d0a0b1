# Run by ctest, see CMakeLists.txt. Stops at the first step that fails and shows its output.
function(step what)
  execute_process(COMMAND ${ARGN} WORKING_DIRECTORY "${work}" RESULT_VARIABLE code OUTPUT_VARIABLE out ERROR_VARIABLE out)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "${what} failed (${code}):\n${out}")
  endif()
endfunction()

file(REMOVE_RECURSE "${work}/prefix" "${work}/consumer" "${work}/everything.data")
step("install" ${CMAKE_COMMAND} --install "${build}" --prefix "${work}/prefix")

# The install tree must stand alone: nothing in it may point back to the sources or the build.
get_filename_component(source_top "${source}/../../.." ABSOLUTE)
file(GLOB_RECURSE exported "${work}/prefix/*.cmake")
if(NOT exported)
  message(FATAL_ERROR "nothing was installed for find_package")
endif()
foreach(file IN LISTS exported)
  file(READ "${file}" text)
  string(FIND "${text}" "${source_top}" at)
  if(NOT at EQUAL -1)
    message(FATAL_ERROR "${file} mentions ${source_top}")
  endif()
endforeach()

step("configure" ${CMAKE_COMMAND} -S "${source}" -B "${work}/consumer" -G "${generator}"
  -D CMAKE_CXX_COMPILER=${compiler} -D CMAKE_CXX_COMPILER_LAUNCHER=${launcher}
  -D CMAKE_PREFIX_PATH=${work}/prefix -D sanitize=${sanitize} -D persistence=${persistence})
step("build" ${CMAKE_COMMAND} --build "${work}/consumer")
step("store_only" "${work}/consumer/store_only")
if(persistence)
  step("everything" "${work}/consumer/everything")
endif()
