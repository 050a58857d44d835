# heapyard.json: what Python reads to know a build (see heapyard/_native).
#
# The build folder gets one, and so does each installation; every path in it is relative to the
# folder that holds it. Parts that this build does not have are null, or missing from "targets".

set(heapyard_shim_targets
    region:list=heapyard_target_region_list
    region:fast=heapyard_target_region_fast
    bump=heapyard_target_bump
    heap=heapyard_target_heap
    heap:strict=heapyard_target_heap_strict
    domain:raw=heapyard_target_domain_raw
    domain:mem=heapyard_target_domain_mem
    domain:obj=heapyard_target_domain_obj
    domain:raw+debug=heapyard_target_domain_raw_debug
    domain:mem+debug=heapyard_target_domain_mem_debug
    domain:obj+debug=heapyard_target_domain_obj_debug)

# What a benchmark compares with, and nobody puts on trial.
set(heapyard_baseline_targets
    floor=heapyard_target_floor
    list=heapyard_target_list)

# The path of a target's file, relative to the file that will hold it.
#   BUILD      relative to the build folder
#   a folder   the target's file lies right there ("." for the same folder)
function(heapyard_file_of target place result)
    if(NOT TARGET ${target})
        set(${result} "" PARENT_SCOPE)
        return()
    endif()
    get_target_property(type ${target} TYPE)
    if(type STREQUAL "UTILITY") # made by a custom command: the target says where
        get_target_property(file ${target} HEAPYARD_FILE)
        get_filename_component(folder "${file}" DIRECTORY)
        get_filename_component(name "${file}" NAME)
    else()
        if(type STREQUAL "EXECUTABLE")
            get_target_property(folder ${target} RUNTIME_OUTPUT_DIRECTORY)
        else()
            get_target_property(folder ${target} LIBRARY_OUTPUT_DIRECTORY)
        endif()
        if(NOT folder)
            get_target_property(folder ${target} BINARY_DIR)
        endif()
        set(name "$<TARGET_FILE_NAME:${target}>")
    endif()
    if(place STREQUAL "BUILD")
        file(RELATIVE_PATH folder "${PROJECT_BINARY_DIR}" "${folder}")
    else()
        set(folder "${place}")
    endif()
    string(REGEX REPLACE "/$" "" folder "${folder}")
    if(folder STREQUAL "" OR folder STREQUAL ".")
        set(${result} "${name}" PARENT_SCOPE)
    else()
        set(${result} "${folder}/${name}" PARENT_SCOPE)
    endif()
endfunction()

function(heapyard_json_string_or_null text result)
    if(text STREQUAL "")
        set(${result} "null" PARENT_SCOPE)
    else()
        set(${result} "\"${text}\"" PARENT_SCOPE)
    endif()
endfunction()

# "name": "file" for each name=target of a list, in the lines of a JSON object.
function(heapyard_json_files pairs place result)
    set(lines "")
    foreach(pair IN LISTS pairs)
        string(REGEX MATCH "^(.*)=(.*)$" _ "${pair}")
        heapyard_file_of(${CMAKE_MATCH_2} "${place}" file)
        if(NOT file STREQUAL "")
            list(APPEND lines "\n    \"${CMAKE_MATCH_1}\": \"${file}\"")
        endif()
    endforeach()
    list(JOIN lines "," lines)
    set(${result} "${lines}" PARENT_SCOPE)
endfunction()

# Writes `output`. LIBRARIES, RUNNERS, SHIMS and CORPUS are places as heapyard_file_of takes them.
function(heapyard_write_build_info output)
    cmake_parse_arguments(PLACE "" "LIBRARIES;RUNNERS;SHIMS;CORPUS" "" ${ARGN})

    set(heapyard_place "${PLACE_LIBRARIES}")
    set(heapyard_trial_place "${PLACE_LIBRARIES}")
    set(heapyard_runner_place "${PLACE_RUNNERS}")
    set(heapyard_runner_musl_place "${PLACE_RUNNERS}")
    set(heapyard_record_place "${PLACE_RUNNERS}")
    set(heapyard_trace_place "${PLACE_RUNNERS}")
    set(heapyard_swap_place "${PLACE_RUNNERS}")
    set(yard_corpus_place "${PLACE_CORPUS}")
    foreach(target heapyard heapyard_trial heapyard_runner heapyard_runner_musl heapyard_record
                   heapyard_trace heapyard_swap yard_corpus)
        set(file "")
        if(NOT ${target}_place STREQUAL "NONE")
            heapyard_file_of(${target} "${${target}_place}" file)
        endif()
        heapyard_json_string_or_null("${file}" ${target}_json)
    endforeach()

    heapyard_json_files("${heapyard_shim_targets}" "${PLACE_SHIMS}" shims)
    heapyard_json_files("${heapyard_baseline_targets}" "${PLACE_SHIMS}" baselines)
    set(counters false)
    if(HEAPYARD_COUNTERS)
        set(counters true)
    endif()

    file(GENERATE OUTPUT "${output}" CONTENT "{
  \"schema\": \"heapyard.build/1\",
  \"version\": \"${PROJECT_VERSION}\",
  \"compiler\": \"${CMAKE_C_COMPILER_ID} ${CMAKE_C_COMPILER_VERSION}\",
  \"build_type\": \"$<CONFIG>\",
  \"sanitizer\": \"${HEAPYARD_SANITIZER}\",
  \"sanitizer_runtime\": \"${HEAPYARD_SANITIZER_RUNTIME}\",
  \"counters\": ${counters},
  \"assertions\": \"${HEAPYARD_ASSERT}\",
  \"libheapyard\": ${heapyard_json},
  \"libheapyard_trial\": ${heapyard_trial_json},
  \"runner\": ${heapyard_runner_json},
  \"runner_musl\": ${heapyard_runner_musl_json},
  \"recorder\": ${heapyard_record_json},
  \"trace\": ${heapyard_trace_json},
  \"swap\": ${heapyard_swap_json},
  \"targets\": {${shims}
  },
  \"baselines\": {${baselines}
  },
  \"corpus\": ${yard_corpus_json}
}
")
endfunction()

heapyard_write_build_info("${PROJECT_BINARY_DIR}/heapyard.json"
    LIBRARIES BUILD RUNNERS BUILD SHIMS BUILD CORPUS BUILD)
if(SKBUILD)
    set(info "${PROJECT_BINARY_DIR}/installed/wheel.json")
    heapyard_write_build_info("${info}" LIBRARIES "." RUNNERS "." SHIMS "." CORPUS NONE)
    install(FILES "${info}" DESTINATION ${heapyard_python_dir} RENAME heapyard.json COMPONENT python)
else()
    file(RELATIVE_PATH libraries "/${heapyard_private_dir}" "/${CMAKE_INSTALL_LIBDIR}")
    set(info "${PROJECT_BINARY_DIR}/installed/system.json")
    heapyard_write_build_info("${info}"
        LIBRARIES "${libraries}" RUNNERS "." SHIMS "." CORPUS NONE)
    install(FILES "${info}" DESTINATION ${heapyard_private_dir} RENAME heapyard.json)
endif()
