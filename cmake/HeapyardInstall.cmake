# Install rules. Two layouts:
#   the system's   include/heapyard, lib/libheapyard*.so, lib/pkgconfig, lib/cmake/heapyard;
#                  the runner, the recorder, the target shims and heapyard.json in lib/heapyard
#   the wheel's    (scikit-build-core sets SKBUILD) everything in heapyard/lib, no headers, and no
#                  symbolic links, which a wheel can't hold

include(CMakePackageConfigHelpers)

set(heapyard_private_dir "${CMAKE_INSTALL_LIBDIR}/heapyard")
set(heapyard_python_dir "heapyard/lib")
set(heapyard_runners heapyard_runner heapyard_runner_musl heapyard_record heapyard_trace heapyard_swap)
set(heapyard_shims heapyard_target_region_list heapyard_target_region_fast heapyard_target_bump
    heapyard_target_heap heapyard_target_heap_strict
    heapyard_target_floor heapyard_target_list
    heapyard_target_domain_raw heapyard_target_domain_mem heapyard_target_domain_obj
    heapyard_target_domain_raw_debug heapyard_target_domain_mem_debug
    heapyard_target_domain_obj_debug)

# Installs a target, or the file that a custom target makes, into one folder.
function(heapyard_install_private target folder)
    if(NOT TARGET ${target})
        return()
    endif()
    get_target_property(type ${target} TYPE)
    if(type STREQUAL "UTILITY")
        get_target_property(file ${target} HEAPYARD_FILE)
        install(PROGRAMS "${file}" DESTINATION ${folder})
    else()
        install(TARGETS ${target} LIBRARY DESTINATION ${folder} NAMELINK_SKIP
                                  RUNTIME DESTINATION ${folder})
    endif()
endfunction()

if(SKBUILD)
    foreach(target heapyard heapyard_trial ${heapyard_runners} ${heapyard_shims})
        if(TARGET ${target})
            set_property(TARGET ${target} PROPERTY VERSION) # one file: libheapyard.so.0
            set_property(TARGET ${target} PROPERTY INSTALL_RPATH "$ORIGIN")
        endif()
        heapyard_install_private(${target} ${heapyard_python_dir})
    endforeach()
    return()
endif()

file(RELATIVE_PATH up "/${heapyard_private_dir}" "/${CMAKE_INSTALL_LIBDIR}")
string(REGEX REPLACE "/$" "" up "${up}")
foreach(target ${heapyard_runners} ${heapyard_shims})
    if(TARGET ${target})
        set_property(TARGET ${target} PROPERTY INSTALL_RPATH "$ORIGIN/${up}")
    endif()
    heapyard_install_private(${target} ${heapyard_private_dir})
endforeach()

install(TARGETS heapyard heapyard_trial EXPORT heapyard
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY native/include/heapyard DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.h")

set(heapyard_cmake_dir "${CMAKE_INSTALL_LIBDIR}/cmake/heapyard")
install(EXPORT heapyard NAMESPACE heapyard:: FILE heapyard-targets.cmake
        DESTINATION ${heapyard_cmake_dir})
configure_package_config_file(cmake/heapyard-config.cmake.in
    "${PROJECT_BINARY_DIR}/installed/heapyard-config.cmake"
    INSTALL_DESTINATION ${heapyard_cmake_dir} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file("${PROJECT_BINARY_DIR}/installed/heapyard-config-version.cmake"
    COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/installed/heapyard-config.cmake"
              "${PROJECT_BINARY_DIR}/installed/heapyard-config-version.cmake"
        DESTINATION ${heapyard_cmake_dir})

# pkg-config: relative to the file itself, so that an installation can be moved.
file(RELATIVE_PATH heapyard_pc_prefix "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
string(REGEX REPLACE "/$" "" heapyard_pc_prefix "${heapyard_pc_prefix}")
set(heapyard_counters 0)
if(HEAPYARD_COUNTERS)
    set(heapyard_counters 1)
endif()
foreach(name heapyard heapyard-trial)
    configure_file(cmake/${name}.pc.in "${PROJECT_BINARY_DIR}/installed/${name}.pc" @ONLY)
    install(FILES "${PROJECT_BINARY_DIR}/installed/${name}.pc"
            DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()
