# ccache where it is installed, sanitizers where a preset asks, and the warnings as a target that only our own
# code links: whoever consumes Tenure is not judged by them.

find_program(TENURE_CCACHE ccache)
if(TENURE_CCACHE AND PROJECT_IS_TOP_LEVEL)
  # The sloppiness is what ccache needs to cache a translation unit that uses a precompiled header. The inode cache: without
  # it each of them hashes those 120 MB anew, which costs more than the header saves. Depend mode: a miss is not preprocessed
  # first, as text, only to be looked up.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros CCACHE_BASEDIR=${CMAKE_SOURCE_DIR}
      CCACHE_DEPEND=1 CCACHE_INODECACHE=1 ${TENURE_CCACHE})
  # Debug information names sources below the top folder, so that what one clone compiled serves every other. A debugger
  # finds them from there.
  add_compile_options(-fdebug-prefix-map=${CMAKE_SOURCE_DIR}=.)
endif()

if(TENURE_SANITIZE)
  add_compile_options(-fsanitize=${TENURE_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${TENURE_SANITIZE})
  if(TENURE_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
endif()

if(TENURE_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang" OR TENURE_SANITIZE)
    message(FATAL_ERROR "TENURE_FUZZ wants clang, and brings its sanitizers along: use the preset fuzz")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
endif()

add_library(tenure_warnings INTERFACE)
target_compile_options(
  tenure_warnings
  INTERFACE -Wall
            -Wextra
            -Wpedantic
            -Wshadow
            -Wconversion
            -Wsign-conversion
            -Wnon-virtual-dtor
            -Woverloaded-virtual
            -Wimplicit-fallthrough
            -Wswitch-enum
            -Wno-missing-field-initializers # options are structs for designated initialisers; what is left out has a default
            -Werror)
if(CMAKE_UNITY_BUILD)
  # GCC takes what is not in the file it was called with for a header, where types of anonymous namespaces would be amiss.
  target_compile_options(tenure_warnings INTERFACE -Wno-subobject-linkage)
endif()
if(TENURE_SANITIZE)
  # GCC 12 reports false uninitialised reads in instrumented standard containers.
  target_compile_options(tenure_warnings INTERFACE -Wno-maybe-uninitialized
                                                   -Wno-stringop-overflow -Wno-error=tsan)
endif()
if(TENURE_FUZZ)
  # The code is judged by the compiler that builds it; clang's further warnings are clang-tidy's business.
  target_compile_options(tenure_warnings INTERFACE -Wno-error)
endif()
