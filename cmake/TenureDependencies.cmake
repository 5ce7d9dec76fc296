# Every third-party library, each found once and behind one target. All are Debian 12 packages (`./dev deps`).

find_package(Threads REQUIRED)
find_package(SQLite3 3.40 REQUIRED)
find_package(fmt REQUIRED)
find_package(simdjson 3.0 REQUIRED)
find_package(tl-expected REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(tomlplusplus REQUIRED IMPORTED_TARGET GLOBAL tomlplusplus)
pkg_check_modules(libmd REQUIRED IMPORTED_TARGET GLOBAL libmd)
find_package(cereal REQUIRED)
find_path(BOOST_ASIO_INCLUDE_DIR boost/asio.hpp REQUIRED)

# Asio's implementation is compiled once, here; everyone else sees declarations.
add_library(tenure_asio STATIC ${CMAKE_CURRENT_LIST_DIR}/asio.cpp)
target_compile_definitions(tenure_asio PUBLIC BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED
                                              BOOST_ASIO_DISABLE_BOOST_COROUTINE)
target_include_directories(tenure_asio SYSTEM PUBLIC $<BUILD_INTERFACE:${BOOST_ASIO_INCLUDE_DIR}>)
target_compile_features(tenure_asio PUBLIC cxx_std_20)
target_link_libraries(tenure_asio PUBLIC Threads::Threads)

# What only an HTTP listener needs: Beast, which is headers, and the text format of metrics
# (docs/decisions/0022-who-asks-how-it-is-is-answered-from-memory.md).
if(TENURE_HTTP)
  set(needed REQUIRED)
  if(TENURE_HTTP STREQUAL "AUTO")
    set(needed QUIET)
  endif()
  pkg_check_modules(prometheus_core ${needed} IMPORTED_TARGET prometheus-cpp-core)
  find_path(BOOST_BEAST_INCLUDE_DIR boost/beast/core.hpp)
  if(prometheus_core_FOUND AND BOOST_BEAST_INCLUDE_DIR)
    set(TENURE_HTTP ON)
  else()
    message(STATUS "tenured is built without HTTP: prometheus-cpp-core or Boost.Beast is not there")
    set(TENURE_HTTP OFF)
  endif()
endif()

# What only a seal of envelopes needs (docs/decisions/0029-a-seal-is-in-force-by-a-mark-of-its-key.md).
if(TENURE_SEAL)
  set(needed REQUIRED)
  if(TENURE_SEAL STREQUAL "AUTO")
    set(needed QUIET)
  endif()
  pkg_check_modules(libsodium ${needed} IMPORTED_TARGET GLOBAL libsodium)
  if(libsodium_FOUND)
    set(TENURE_SEAL ON)
  else()
    message(STATUS "tenure is built without the seal: libsodium is not there")
    set(TENURE_SEAL OFF)
  endif()
endif()

if(TENURE_BUILD_TESTS)
  find_package(GTest REQUIRED)
  find_package(rapidcheck REQUIRED)
  add_library(tenure_rapidcheck INTERFACE)
  target_link_libraries(tenure_rapidcheck INTERFACE rapidcheck)
endif()
