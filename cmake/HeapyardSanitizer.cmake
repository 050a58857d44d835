# HEAPYARD_SANITIZER: address, undefined, "address,undefined", thread; empty: none.
#
# A sanitized library inside a Python that is not needs the sanitizer's runtime loaded first, by
# LD_PRELOAD. HEAPYARD_SANITIZER_RUNTIME is that file; heapyard.json carries it. The undefined
# behaviour sanitizer needs no preload.

set(HEAPYARD_SANITIZER "" CACHE STRING "Sanitizers: address, undefined, thread; comma-separated")
set_property(CACHE HEAPYARD_SANITIZER PROPERTY STRINGS
             "" address undefined "address,undefined" thread)
set(HEAPYARD_SANITIZER_RUNTIME "")
if(NOT HEAPYARD_SANITIZER)
    return()
endif()
if(NOT HEAPYARD_SANITIZER MATCHES "^(address|undefined|address,undefined|thread)$")
    message(FATAL_ERROR "HEAPYARD_SANITIZER=${HEAPYARD_SANITIZER}: must be address, undefined, "
                        "address,undefined or thread")
endif()

# The full path of a file of the compiler's own; empty where it has none.
function(heapyard_compiler_file name result)
    execute_process(COMMAND ${CMAKE_C_COMPILER} -print-file-name=${name}
                    OUTPUT_VARIABLE path OUTPUT_STRIP_TRAILING_WHITESPACE)
    if(IS_ABSOLUTE "${path}" AND EXISTS "${path}")
        get_filename_component(path "${path}" REALPATH)
        set(${result} "${path}" PARENT_SCOPE)
    else()
        set(${result} "" PARENT_SCOPE)
    endif()
endfunction()

target_compile_options(heapyard_options INTERFACE
    -fsanitize=${HEAPYARD_SANITIZER} -fno-omit-frame-pointer -fno-sanitize-recover=all)
target_link_options(heapyard_options INTERFACE -fsanitize=${HEAPYARD_SANITIZER})

string(REGEX MATCH "^[a-z]+" heapyard_first_sanitizer "${HEAPYARD_SANITIZER}")
set(heapyard_runtime_of_GNU_address libasan.so)
set(heapyard_runtime_of_GNU_thread libtsan.so)
set(heapyard_runtime_of_Clang_address libclang_rt.asan-${CMAKE_SYSTEM_PROCESSOR}.so)
set(heapyard_runtime_of_Clang_thread libclang_rt.tsan-${CMAKE_SYSTEM_PROCESSOR}.so)
set(heapyard_runtime_of_Clang_undefined
    libclang_rt.ubsan_standalone-${CMAKE_SYSTEM_PROCESSOR}.so)
set(heapyard_runtime_name
    "${heapyard_runtime_of_${CMAKE_C_COMPILER_ID}_${heapyard_first_sanitizer}}")
if(heapyard_runtime_name)
    heapyard_compiler_file("${heapyard_runtime_name}" heapyard_runtime)
    if(NOT heapyard_runtime)
        message(FATAL_ERROR
            "HEAPYARD_SANITIZER=${HEAPYARD_SANITIZER}: ${CMAKE_C_COMPILER} has no shared runtime "
            "(${heapyard_runtime_name}); install it (Debian: libclang-rt-dev) or use GCC")
    endif()
    if(CMAKE_C_COMPILER_ID MATCHES "Clang") # outside the loader's path
        get_filename_component(heapyard_runtime_folder "${heapyard_runtime}" DIRECTORY)
        target_link_options(heapyard_options INTERFACE
            -shared-libsan "LINKER:-rpath,${heapyard_runtime_folder}")
    endif()
    if(NOT heapyard_first_sanitizer STREQUAL "undefined")
        set(HEAPYARD_SANITIZER_RUNTIME "${heapyard_runtime}")
    endif()
endif()
