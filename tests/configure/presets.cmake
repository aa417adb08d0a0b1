# Run by ctest, see CMakeLists.txt. With the compilers of the presets, whatever the enclosing build has.
include("${CMAKE_CURRENT_LIST_DIR}/configure.cmake")

# need(<preset> ALL <flag...> NONE <flag...>): flags of every command, and of none.
function(need preset)
  cmake_parse_arguments(arg "" "" "ALL;NONE" ${ARGN})
  foreach(line IN LISTS commands)
    foreach(flag IN LISTS arg_ALL)
      if(NOT line MATCHES " ${flag} ")
        message(FATAL_ERROR "${preset}: without ${flag}\n${line}")
      endif()
    endforeach()
    foreach(flag IN LISTS arg_NONE)
      if(line MATCHES " ${flag}")
        message(FATAL_ERROR "${preset}: with ${flag}\n${line}")
      endif()
    endforeach()
  endforeach()
endfunction()

# warnings(<preset>): which ones its commands ask for and are spared; fails unless all are alike.
function(warnings preset)
  set(kinds "")
  foreach(line IN LISTS commands)
    string(REGEX MATCHALL " -W[^ ]+" flags "${line}")
    list(REMOVE_ITEM flags " -Winvalid-pch") # comes with a precompiled header
    string(JOIN "" flags ${flags})
    list(APPEND kinds "${flags}")
  endforeach()
  list(REMOVE_DUPLICATES kinds)
  list(LENGTH kinds number)
  if(NOT number EQUAL 1)
    message(FATAL_ERROR "${preset} compiles with ${number} sets of warnings:\n${kinds}")
  endif()
  set(warnings "${kinds}" PARENT_SCOPE)
endfunction()

configure(dev --preset dev)
need(dev ALL -O1 -g1 -Werror -Wall -Wextra -Wshadow -Wconversion "-std=(gnu|c)[+][+]20"
  NONE -O2 -O0 -DNDEBUG -fsanitize= -Wno-shadow)
warnings(dev)
set(of_dev "${warnings}")

# What is built for speed from nothing and what is built for users meet the same warnings.
configure(release --preset release)
need(release ALL -O2 -DNDEBUG -Werror NONE -O0 -O1 -fsanitize=)
warnings(release)
if(NOT warnings STREQUAL of_dev)
  message(FATAL_ERROR "release: other warnings than dev:\n${warnings}\n${of_dev}")
endif()
configure(check --preset check)
need(check ALL -O1 -Werror NONE -O2 -DNDEBUG -fsanitize=)
warnings(check)
if(NOT warnings STREQUAL of_dev)
  message(FATAL_ERROR "check: other warnings than dev:\n${warnings}\n${of_dev}")
endif()

# tests/run installs clang++ when it is asked for this preset; before that, the flags are looked at
# with what is there.
find_program(clang clang++)
if(clang)
  configure(asan --preset asan)
else()
  configure(asan --preset asan -D CMAKE_CXX_COMPILER=c++)
endif()
need(asan ALL -fsanitize=address,undefined -fno-sanitize=null,vptr,object-size
    -fno-omit-frame-pointer -Werror -O1 NONE -DNDEBUG)
