include(GNUInstallDirs)

# tenure_library(NAME [INTERNAL] [SOURCES ...] [PUBLIC ...] [PRIVATE ...])
# A folder's library: its own include root, our warnings, and the libraries that its folder may use (the table in
# ARCHITECTURE.md). What is PUBLIC may be named in its headers. It is installed with its headers, unless INTERNAL: then
# only programs of ours are made of it. C++20 is said by the target, so that whoever links it need not know.
function(tenure_library name)
  cmake_parse_arguments(arg "INTERNAL" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(tenure_${name} STATIC ${arg_SOURCES})
  add_library(tenure::${name} ALIAS tenure_${name})
  target_compile_features(tenure_${name} PUBLIC cxx_std_20)
  target_include_directories(tenure_${name} PUBLIC $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include>
                                                   $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(tenure_${name} PUBLIC ${arg_PUBLIC} PRIVATE ${arg_PRIVATE} $<BUILD_INTERFACE:tenure_warnings>)
  set_target_properties(tenure_${name} PROPERTIES EXPORT_NAME ${name})
  if(TENURE_INSTALL AND NOT arg_INTERNAL)
    install(TARGETS tenure_${name} EXPORT tenureTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)
    install(DIRECTORY include/tenure DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development)
  endif()
endfunction()

# tenure_program(NAME SOURCES ... LIBRARIES ...)
# Programs lie together in BUILD/bin, as they do when installed, and find each other there.
function(tenure_program name)
  cmake_parse_arguments(arg "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE ${arg_LIBRARIES} tenure_warnings)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
endfunction()

# tenure_embed(TARGET NAMESPACE HEADER FILE...)
# Makes HEADER (included as <HEADER> by TARGET only) with one `inline constexpr std::string_view` for each FILE,
# named after the file: 0001_control.sql becomes k0001_control_sql.
function(tenure_embed target namespace header)
  set(output ${CMAKE_CURRENT_BINARY_DIR}/embedded/${header})
  set(inputs ${ARGN})
  list(TRANSFORM inputs PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
  add_custom_command(
    OUTPUT ${output}
    COMMAND ${CMAKE_COMMAND} -DOUTPUT=${output} -DNAMESPACE=${namespace} "-DINPUTS=${inputs}" -P
            ${PROJECT_SOURCE_DIR}/cmake/Embed.cmake
    DEPENDS ${inputs} ${PROJECT_SOURCE_DIR}/cmake/Embed.cmake
    VERBATIM)
  target_sources(${target} PRIVATE ${output})
  target_include_directories(${target} PRIVATE ${CMAKE_CURRENT_BINARY_DIR}/embedded)
endfunction()
