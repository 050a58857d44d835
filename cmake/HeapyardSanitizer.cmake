# HEAPYARD_SANITIZER: address, undefined, "address,undefined", thread; empty: none.

set(HEAPYARD_SANITIZER "" CACHE STRING "Sanitizers: address, undefined, thread; comma-separated")
set(HEAPYARD_SANITIZER_RUNTIME "")
if(HEAPYARD_SANITIZER)
    target_compile_options(heapyard_options INTERFACE
        -fsanitize=${HEAPYARD_SANITIZER} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    target_link_options(heapyard_options INTERFACE -fsanitize=${HEAPYARD_SANITIZER})
    if(CMAKE_C_COMPILER_ID MATCHES "Clang")
        target_link_options(heapyard_options INTERFACE -shared-libsan)
    endif()
endif()
