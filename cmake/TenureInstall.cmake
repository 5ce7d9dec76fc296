# What `cmake --install` puts down beside the targets that install themselves: the package for find_package(tenure).
include(CMakePackageConfigHelpers)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/tenure)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/tenureConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_LIST_DIR}/tenureConfig.cmake ${PROJECT_BINARY_DIR}/tenureConfigVersion.cmake
        DESTINATION ${package_folder})
install(EXPORT tenureTargets NAMESPACE tenure:: DESTINATION ${package_folder})

# The pages that help and messages name, and those that they lead to.
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs/manual ${PROJECT_SOURCE_DIR}/docs/formats ${PROJECT_SOURCE_DIR}/docs/decisions
        DESTINATION ${CMAKE_INSTALL_DOCDIR})

# For the system's systemd, wherever the prefix is below /usr.
configure_file(${PROJECT_SOURCE_DIR}/systemd/tenured.service.in ${PROJECT_BINARY_DIR}/systemd/tenured.service @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/systemd/tenured.service DESTINATION lib/systemd/system)
install(FILES ${PROJECT_SOURCE_DIR}/systemd/tenure.sysusers DESTINATION lib/sysusers.d RENAME tenure.conf)
install(FILES ${PROJECT_SOURCE_DIR}/systemd/tenure.tmpfiles DESTINATION lib/tmpfiles.d RENAME tenure.conf)

# Linked, but no folder's library.
set_target_properties(tenure_asio PROPERTIES EXPORT_NAME asio)
install(TARGETS tenure_asio EXPORT tenureTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
