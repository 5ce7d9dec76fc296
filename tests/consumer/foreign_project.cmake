# Configures, builds and runs the project in SOURCE as somebody else would. INSTALL: against what TENURE_BINARY_DIR installs;
# else it takes TENURE_SOURCE as a folder of its own. LAUNCHER, of the compiler, only saves time.
cmake_minimum_required(VERSION 3.25)

function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    string(JOIN " " command ${ARGV})
    message(FATAL_ERROR "${command}\nended with ${result}:\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

function(expect text)
  if(NOT output MATCHES "${text}")
    message(FATAL_ERROR "\"${text}\" was expected, not:\n${output}")
  endif()
endfunction()

file(REMOVE_RECURSE ${FOLDER})
file(MAKE_DIRECTORY ${FOLDER})
set(bin ${FOLDER}/installed/bin)
set(about -DTENURE_SOURCE=${TENURE_SOURCE})
if(INSTALL)
  run(${CMAKE_COMMAND} --install ${TENURE_BINARY_DIR} --prefix ${FOLDER}/installed)
  set(about -DCMAKE_PREFIX_PATH=${FOLDER}/installed)
  # The manual is what the help of programs names.
  foreach(file doc/tenure/manual/filters.md man/man1/tenure-job.1 man/man5/tenure.toml.5 man/man8/tenured.8
               bash-completion/completions/tenure zsh/vendor-completions/_tenure fish/vendor_completions.d/tenure.fish)
    if(NOT EXISTS ${FOLDER}/installed/share/${file})
      message(FATAL_ERROR "share/${file} is not installed")
    endif()
  endforeach()
endif()

# By the environment: a launcher is a list, which an argument would take apart.
set(ENV{CMAKE_CXX_COMPILER_LAUNCHER} "${LAUNCHER}")
run(${CMAKE_COMMAND} -G ${GENERATOR} -S ${SOURCE} -B ${FOLDER}/build ${about} -DCMAKE_CXX_COMPILER=${CXX}
    -DCMAKE_C_COMPILER=${CC})
run(${CMAKE_COMMAND} --build ${FOLDER}/build --parallel 2 --target application)
run(${FOLDER}/build/application)
expect("no job")
if(NOT INSTALL)
  return()
endif()

# The installed programs and the two foreign ones know each other: a job goes in, and the worker program says who it is.
run(${CMAKE_COMMAND} --build ${FOLDER}/build --parallel 2)
file(WRITE ${FOLDER}/tenure.toml
     "[application]\nname = \"notes\"\n[store]\npath = \"${FOLDER}/control.db\"\n"
     "[tenants]\npath = \"${FOLDER}/tenants/%{tenant}.db\"\n"
     "[[pool]]\nname = \"general\"\nprogram = \"${FOLDER}/build/application-worker\"\n")
run(${bin}/tenure --config ${FOLDER}/tenure.toml tenant create acme)
run(${FOLDER}/build/application ${FOLDER}/tenure.toml acme "a note")
expect("enqueued [0-9a-f-]+")
run(${bin}/tenure --config ${FOLDER}/tenure.toml job list)
expect("notes.add_note")
run(${FOLDER}/build/application-worker --version)
expect("application 1")
run(${bin}/tenured --version)
expect("tenured [0-9]")
