# Runs COMPILE on SOURCE; passes if it fails with each of the list WORDS in what it prints, or compiles where WORDS is empty.
execute_process(
  COMMAND ${COMPILE} ${SOURCE}
  RESULT_VARIABLE result
  OUTPUT_VARIABLE output
  ERROR_VARIABLE output)
if(WORDS STREQUAL "")
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "does not compile, but should:\n${output}")
  endif()
  return()
endif()
if(result EQUAL 0)
  message(FATAL_ERROR "compiles, but should not")
endif()
get_filename_component(source_name ${SOURCE} NAME)
foreach(word IN ITEMS "tenure: " ${WORDS} ${source_name})
  string(FIND "${output}" "${word}" found)
  if(found EQUAL -1)
    message(FATAL_ERROR "is refused without the words \"${word}\":\n${output}")
  endif()
endforeach()
