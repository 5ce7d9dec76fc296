# What `cmake --install` puts down beside the targets that install themselves: the package for find_package(tenure).
include(CMakePackageConfigHelpers)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/tenure)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/tenureConfigVersion.cmake COMPATIBILITY SameMinorVersion)
# What a program is linked with depends on what was built.
set(TENURE_PKG_CONFIG_LIBRARIES "tomlplusplus libmd")
if(TENURE_SEAL)
  string(APPEND TENURE_PKG_CONFIG_LIBRARIES " libsodium")
endif()
configure_file(${CMAKE_CURRENT_LIST_DIR}/tenureConfig.cmake ${PROJECT_BINARY_DIR}/tenureConfig.cmake @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/tenureConfig.cmake ${PROJECT_BINARY_DIR}/tenureConfigVersion.cmake
        DESTINATION ${package_folder} COMPONENT development)
install(EXPORT tenureTargets NAMESPACE tenure:: DESTINATION ${package_folder} COMPONENT development)

# The pages that help and messages name, and those that they lead to; what pages quote or call the reference.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs/manual DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT programs)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs/formats ${PROJECT_SOURCE_DIR}/docs/decisions ${PROJECT_SOURCE_DIR}/docs/architecture
        DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT development)
foreach(page IN ITEMS README ARCHITECTURE CONTRIBUTING CHANGELOG)
  install(FILES ${PROJECT_SOURCE_DIR}/${page}.md DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT development)
endforeach()
foreach(folder IN ITEMS queue/schema tenancy/schema examples/guide)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${folder}/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/${folder} COMPONENT development)
endforeach()
# In the tree pages lie below docs/, and here beside README.md: their links are made to fit.
foreach(component IN ITEMS programs development)
  install(CODE "set(pages_folder \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_DOCDIR}\")
                include(\"${CMAKE_CURRENT_LIST_DIR}/FitLinks.cmake\")" COMPONENT ${component})
endforeach()

# For the system's systemd, wherever the prefix is below /usr. A package has a unit of its own, for its own prefix.
configure_file(${PROJECT_SOURCE_DIR}/systemd/tenured.service.in ${PROJECT_BINARY_DIR}/systemd/tenured.service @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/systemd/tenured.service ${PROJECT_SOURCE_DIR}/systemd/tenured.socket DESTINATION lib/systemd/system COMPONENT unit)
install(FILES ${PROJECT_SOURCE_DIR}/systemd/tenure.sysusers DESTINATION lib/sysusers.d RENAME tenure.conf COMPONENT programs)
install(FILES ${PROJECT_SOURCE_DIR}/systemd/tenure.tmpfiles DESTINATION lib/tmpfiles.d RENAME tenure.conf COMPONENT programs)

# Linked, but no folder's library.
set_target_properties(tenure_asio PROPERTIES EXPORT_NAME asio)
install(TARGETS tenure_asio EXPORT tenureTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)
