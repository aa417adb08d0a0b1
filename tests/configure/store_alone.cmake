# Run by ctest, see CMakeLists.txt. What is built in both configurations is built alike, so the tests
# of the enclosing build speak for this one, too.
include("${CMAKE_CURRENT_LIST_DIR}/configure.cmake")

configure(without --preset check -D CMAKE_CXX_COMPILER=${compiler} -D HOLDFAST_WITH_ROCKSDB=OFF)
file(READ "${work}/without/build.ninja" rules)
string(REPLACE "${work}" "" lower "${rules}") # whatever the folders are called
string(REPLACE "${top}" "" lower "${lower}")
string(TOLOWER "${lower}" lower)
foreach(word IN ITEMS rocksdb holdfast_persistence)
  string(FIND "${lower}" "${word}" at)
  if(NOT at EQUAL -1)
    string(SUBSTRING "${lower}" ${at} 200 there)
    message(FATAL_ERROR "without RocksDB, ${word} is mentioned: ${there}")
  endif()
endforeach()

set(needed libholdfast_runtime.a libholdfast_store.a tests/runtime_tests examples/supervised_service)
file(GLOB suites RELATIVE "${top}/tests/store" "${top}/tests/store/*/*_test.cpp")
foreach(suite IN LISTS suites)
  string(REGEX REPLACE "/.*" "" suite "${suite}")
  list(APPEND needed tests/store_${suite}_tests)
endforeach()
list(REMOVE_DUPLICATES needed)
foreach(target IN LISTS needed)
  if(NOT rules MATCHES "\nbuild ${target}[: ]")
    message(FATAL_ERROR "without RocksDB, ${target} is not built")
  endif()
endforeach()

# An installed package must not look for it either.
file(STRINGS "${work}/without/holdfast-config.cmake" lines)
if(NOT lines MATCHES "if\\((FALSE|OFF|0)\\);  find_dependency\\(RocksDB CONFIG\\);endif")
  message(FATAL_ERROR "without RocksDB, the installed package needs it:\n${lines}")
endif()
