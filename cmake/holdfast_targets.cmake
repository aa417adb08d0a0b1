# The functions with which every target of the project is declared.

# Build settings shared by every target, never exported.
add_library(holdfast_build INTERFACE)
target_compile_features(holdfast_build INTERFACE cxx_std_20)
target_compile_options(holdfast_build INTERFACE -Wall -Wextra -Wpedantic -Wshadow
  -Wnon-virtual-dtor -Wold-style-cast -Wconversion -Wno-sign-conversion
  $<$<BOOL:${HOLDFAST_WERROR}>:-Werror>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # False alarms of g++ 12 about variants and expected values that it has inlined.
  target_compile_options(holdfast_build INTERFACE -Wno-maybe-uninitialized)
endif()
option(HOLDFAST_UB_REPORTS "Undefined behaviour is reported, not trapped: compiles slower" OFF)
if(HOLDFAST_SANITIZE)
  # CAF 0.17 binds a reference to an empty tuple; UBSan's null check flags it. The other two take
  # half of the compile time, and find what AddressSanitizer finds.
  target_compile_options(holdfast_build INTERFACE -fsanitize=${HOLDFAST_SANITIZE}
    -fno-sanitize=null,vptr,object-size -fno-omit-frame-pointer)
  if(HOLDFAST_SANITIZE MATCHES "undefined" AND NOT HOLDFAST_UB_REPORTS)
    # Stops at what is undefined without saying what it is: takes 40 % off the compile time. ON
    # gives reports.
    target_compile_options(holdfast_build INTERFACE -fsanitize-undefined-trap-on-error)
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Instrumented functions are long; these passes take a fifth of the compile time for them.
    target_compile_options(holdfast_build INTERFACE -fno-tree-pta -fno-tree-dce
      -fno-inline-functions-called-once)
  endif()
  target_link_options(holdfast_build INTERFACE -fsanitize=${HOLDFAST_SANITIZE})
  if(HOLDFAST_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # It knows no fences, and says so: what they order is in no suite that it runs.
    target_compile_options(holdfast_build INTERFACE -Wno-tsan)
  endif()
endif()
option(HOLDFAST_UNITY "Compile several sources at once: faster from nothing, slower to rebuild" OFF)
if(HOLDFAST_UNITY)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # One source's parameters meet the names of another. The check preset's g++ looks at them all.
    target_compile_options(holdfast_build INTERFACE -Wno-shadow)
  endif()
  # Links three times as fast as ld.bfd, and comes with it.
  find_program(HOLDFAST_GOLD ld.gold)
  if(HOLDFAST_GOLD)
    target_link_options(holdfast_build INTERFACE -fuse-ld=gold)
  endif()
endif()
# For targets for whose own code nobody waits, but everybody for its compilation.
set(HOLDFAST_UNOPTIMIZED "")
if(HOLDFAST_UNITY)
  set(HOLDFAST_UNOPTIMIZED -O0 -g0)
endif()
# holdfast_unity(<target>): but for the sources whose file-local names meet.
function(holdfast_unity target)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${HOLDFAST_UNITY} UNITY_BUILD_BATCH_SIZE 10)
  get_target_property(sources ${target} SOURCES)
  list(FILTER sources INCLUDE REGEX "/(codec_schema|plan_access|validation_build|validation_check|\
value_test|topic_test|schema_json|query_json|typed_members_test|open_test|\
disk_files|raw_database|counted_new)\\.cpp$")
  set_source_files_properties(${sources} TARGET_DIRECTORY ${target} PROPERTIES
    SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()

find_program(HOLDFAST_CCACHE ccache)
if(HOLDFAST_CCACHE AND PROJECT_IS_TOP_LEVEL AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros
    CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${HOLDFAST_CCACHE})
endif()

# holdfast_component(<name> DEPENDS <...>): the library of one top-level folder. Every .cpp in it is
# a source; every .hpp is a public header but those in detail/ (installed too: inline code needs them).
function(holdfast_component name)
  cmake_parse_arguments(arg "" "" "DEPENDS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${name}/*.cpp")
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${name}/*.hpp")
  if(NOT sources)
    list(APPEND sources "${PROJECT_SOURCE_DIR}/runtime/version.cpp")
  endif()
  add_library(holdfast_${name})
  add_library(holdfast::${name} ALIAS holdfast_${name})
  target_sources(holdfast_${name} PRIVATE ${sources}
    PUBLIC FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}" FILES ${headers})
  target_compile_features(holdfast_${name} PUBLIC cxx_std_20)
  target_include_directories(holdfast_${name} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_BINARY_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(holdfast_${name} PUBLIC ${arg_DEPENDS}
    PRIVATE $<BUILD_INTERFACE:holdfast_build>)
  set_target_properties(holdfast_${name} PROPERTIES EXPORT_NAME ${name} CXX_EXTENSIONS OFF
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR} POSITION_INDEPENDENT_CODE ON)
  holdfast_unity(holdfast_${name})
  install(TARGETS holdfast_${name} EXPORT holdfast-targets
    FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/holdfast)
endfunction()

# holdfast_protos(<component>): compiles proto/*.proto into the component. The generated headers are
# seen by its .cpp files only.
function(holdfast_protos name)
  file(GLOB protos CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/proto/*.proto")
  if(NOT protos)
    return()
  endif()
  add_library(holdfast_proto OBJECT)
  protobuf_generate(TARGET holdfast_proto PROTOS ${protos}
    IMPORT_DIRS "${PROJECT_SOURCE_DIR}" PROTOC_OUT_DIR "${PROJECT_BINARY_DIR}")
  target_compile_options(holdfast_proto PRIVATE -w)
  target_compile_features(holdfast_proto PRIVATE cxx_std_20)
  set_target_properties(holdfast_proto PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_include_directories(holdfast_proto PUBLIC "${PROJECT_BINARY_DIR}")
  target_link_libraries(holdfast_proto PUBLIC protobuf::libprotobuf)
  add_dependencies(holdfast_${name} holdfast_proto)
  target_sources(holdfast_${name} PRIVATE $<TARGET_OBJECTS:holdfast_proto>)
  target_include_directories(holdfast_${name} SYSTEM PRIVATE "${PROJECT_BINARY_DIR}")
  target_link_libraries(holdfast_${name} PRIVATE protobuf::libprotobuf)
endfunction()
