# Finds libuuid of util-linux, which ships no CMake package. Defines the imported target
# libuuid::libuuid.
find_path(libuuid_INCLUDE_DIR uuid/uuid.h)
find_library(libuuid_LIBRARY uuid)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(libuuid REQUIRED_VARS libuuid_LIBRARY libuuid_INCLUDE_DIR)
if(libuuid_FOUND AND NOT TARGET libuuid::libuuid)
  add_library(libuuid::libuuid UNKNOWN IMPORTED)
  set_target_properties(libuuid::libuuid PROPERTIES IMPORTED_LOCATION "${libuuid_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${libuuid_INCLUDE_DIR}")
endif()
