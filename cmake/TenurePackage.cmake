# `cpack` makes two Debian packages of what is built: tenure, to run it, and libtenure-dev, to build programs with it
# (docs/decisions/0020-two-packages-and-what-a-purge-leaves.md).
set(debian_folder ${PROJECT_SOURCE_DIR}/packaging/debian)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME tenure)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "Tenure maintainers <maintainers@tenure.example>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_COMPONENTS_ALL programs development)
set(CPACK_STRIP_FILES ON)
set(CPACK_PRE_BUILD_SCRIPTS ${debian_folder}/add_files.cmake)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_PROGRAMS_PACKAGE_NAME tenure)
set(CPACK_DEBIAN_PROGRAMS_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PROGRAMS_DESCRIPTION
    "job queue and worker daemon with a database for every tenant
Jobs wait in one control database and are performed inside the tenant that
they were enqueued in, each of which has an SQLite database of its own.
This package has the daemon tenured, the command tenure, and the service.")
set(CPACK_DEBIAN_PROGRAMS_PACKAGE_SHLIBDEPS ON)
# SQLite is asked for what its symbols do not tell. User and folders are made by systemd's tools, with or without systemd.
set(CPACK_DEBIAN_PROGRAMS_PACKAGE_DEPENDS
    "libsqlite3-0 (>= 3.40), systemd | systemd-standalone-sysusers, systemd | systemd-standalone-tmpfiles")
set(CPACK_DEBIAN_PROGRAMS_PACKAGE_SUGGESTS libtenure-dev)
set(CPACK_DEBIAN_PROGRAMS_PACKAGE_CONTROL_EXTRA ${debian_folder}/postinst ${debian_folder}/prerm ${debian_folder}/postrm)

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libtenure-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_DESCRIPTION
    "job queue with a database for every tenant - development files
Headers, static libraries and the CMake package for programs that enqueue
jobs (tenure::client), for those that perform them (tenure::worker) and for
tests of both (tenure::testing), and the pages on formats and decisions.")
# What tenureConfig.cmake looks for.
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
    "libsqlite3-dev (>= 3.40), libfmt-dev, libsimdjson-dev (>= 3.0), libexpected-dev, libhowardhinnant-date-dev, libcereal-dev, libtomlplusplus-dev, libmd-dev, pkg-config")
if(TENURE_SEAL)
  string(APPEND CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS ", libsodium-dev")
endif()
# The fixture for GoogleTest is a header, and what it includes is for whoever asks for it.
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SUGGESTS "tenure, libgtest-dev")

# The unit of the package names its own prefix, and not that of the build.
function(install_unit_of_package)
  set(CMAKE_INSTALL_FULL_BINDIR ${CPACK_PACKAGING_INSTALL_PREFIX}/bin)
  configure_file(${PROJECT_SOURCE_DIR}/systemd/tenured.service.in ${PROJECT_BINARY_DIR}/packaging/tenured.service @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/packaging/tenured.service ${PROJECT_SOURCE_DIR}/systemd/tenured.socket
          DESTINATION lib/systemd/system COMPONENT programs EXCLUDE_FROM_ALL)
endfunction()
install_unit_of_package()

include(CPack)
