# The options of the build, and one interface target that carries them to every library.

option(HEAPYARD_COUNTERS "Keep debug counters in every allocator" ON)
set(HEAPYARD_ASSERT "debug" CACHE STRING "Assertions: off, debug, internal or full")
set_property(CACHE HEAPYARD_ASSERT PROPERTY STRINGS off debug internal full)
option(HEAPYARD_WERROR "Treat warnings as errors" OFF)
option(HEAPYARD_BUILD_TESTS "Build what the test suite needs" ${PROJECT_IS_TOP_LEVEL})
option(HEAPYARD_BUILD_BENCH "Build the benchmarks" ${PROJECT_IS_TOP_LEVEL})

set(heapyard_assert_levels off debug internal full)
list(FIND heapyard_assert_levels "${HEAPYARD_ASSERT}" heapyard_assert_level)
if(heapyard_assert_level EQUAL -1)
    message(FATAL_ERROR "HEAPYARD_ASSERT=${HEAPYARD_ASSERT}: must be off, debug, internal or full")
endif()

include(CheckIncludeFile)
check_include_file(valgrind/memcheck.h HEAPYARD_HAVE_VALGRIND_H)
option(HEAPYARD_VALGRIND "Tell valgrind about each block (needs valgrind/memcheck.h)"
       ${HEAPYARD_HAVE_VALGRIND_H})

add_library(heapyard_options INTERFACE)
target_include_directories(heapyard_options INTERFACE
    "${PROJECT_SOURCE_DIR}/native"
    "${PROJECT_SOURCE_DIR}/native/include")
target_compile_options(heapyard_options INTERFACE
    -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wundef
    $<$<BOOL:${HEAPYARD_WERROR}>:-Werror>)
if(HEAPYARD_BUILD_TESTS)
    # The tests hold ctypes against the debug information: keep the enumerations that only callers use.
    target_compile_options(heapyard_options INTERFACE
        $<$<CONFIG:Debug,RelWithDebInfo>:-fno-eliminate-unused-debug-types>)
endif()
target_compile_definitions(heapyard_options INTERFACE
    _GNU_SOURCE
    HEAPYARD_ASSERT_LEVEL=${heapyard_assert_level}
    HEAPYARD_COUNTERS=$<BOOL:${HEAPYARD_COUNTERS}>
    HEAPYARD_VALGRIND=$<BOOL:${HEAPYARD_VALGRIND}>)
