# Run by cpack when what is installed lies in its folders and is not packed yet: what Debian asks of each package, and other
# installations have no use for.
string(TIMESTAMP package_date "%a, %d %b %Y 00:00:00 +0000" UTC)

function(compress)
  execute_process(COMMAND gzip --best --no-name --force ${ARGV} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

foreach(component IN LISTS CPACK_COMPONENTS_ALL)
  string(TOUPPER ${component} upper)
  set(share ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/${component}${CPACK_PACKAGING_INSTALL_PREFIX}/share)
  set(package ${CPACK_DEBIAN_${upper}_PACKAGE_NAME})
  set(doc ${share}/doc/${package})
  configure_file(${CMAKE_CURRENT_LIST_DIR}/copyright ${doc}/copyright COPYONLY)
  configure_file(${CMAKE_CURRENT_LIST_DIR}/../../CHANGELOG.md ${doc}/changelog COPYONLY)
  configure_file(${CMAKE_CURRENT_LIST_DIR}/changelog.in ${doc}/changelog.Debian @ONLY)
  file(CHMOD ${doc}/copyright ${doc}/changelog ${doc}/changelog.Debian PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
  file(GLOB pages ${share}/man/man?/*.?)
  # Folders have the umask of who packs, until now.
  file(CHMOD_RECURSE ${CPACK_TEMPORARY_INSTALL_DIRECTORY}/${component}
       DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
  compress(${doc}/changelog ${doc}/changelog.Debian ${pages})
endforeach()
