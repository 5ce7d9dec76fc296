# Configures, builds and runs the project in SOURCE as somebody else would. INSTALL: against what TENURE_BINARY_DIR installs;
# else it takes TENURE_SOURCE as a folder of its own. KIT: instead, the project's own tests, where it has been built against what is
# installed. TOUR: what README.md shows, which is built and run so too. LAUNCHER, of the compiler, only saves time.
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

# The project's own tests, with the test kit: what passes passes, and what is wrong with a test fails it.
function(run_tests_of_project)
  run(${CMAKE_COMMAND} --build ${FOLDER}/build --parallel 2 --target application-test application-plain-test)
  run(${FOLDER}/build/application-test --gtest_filter=-*LeaveAHandleOpen)
  expect("PASSED  . 2 tests")
  execute_process(COMMAND ${FOLDER}/build/application-test --gtest_filter=*LeaveAHandleOpen
                  RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(result EQUAL 0)
    message(FATAL_ERROR "a test that leaves a handle open has passed:\n${output}")
  endif()
  expect("a handle of tenant test was left open")
  run(${FOLDER}/build/application-plain-test)
endfunction()

# Of the project that the test of the installed package has built.
if(KIT)
  run_tests_of_project()
  return()
endif()

file(REMOVE_RECURSE ${FOLDER})
file(MAKE_DIRECTORY ${FOLDER})
set(bin ${FOLDER}/installed/bin)
set(about -DTENURE_SOURCE=${TENURE_SOURCE})
if(INSTALL)
  run(${CMAKE_COMMAND} --install ${TENURE_BINARY_DIR} --prefix ${FOLDER}/installed)
  set(about -DCMAKE_PREFIX_PATH=${FOLDER}/installed)
  run(${PYTHON} -B ${CHECK_PAGES} --root ${FOLDER}/installed/share/doc/tenure installed)
  # The manual is what the help of programs names.
  foreach(file doc/tenure/manual/filters.md doc/tenure/README.md doc/tenure/queue/schema/0001_control.sql
               doc/tenure/tenancy/schema/0001_tenant.sql doc/tenure/examples/guide/worker.cpp man/man1/tenure-job.1 man/man5/tenure.toml.5 man/man8/tenured.8
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
  run_tests_of_project()
  return()
endif()

# The installed programs and the two foreign ones know each other: a job goes in, and the worker program says who it is.
run(${CMAKE_COMMAND} --build ${FOLDER}/build --parallel 2 --target application-worker application-loop)
file(WRITE ${FOLDER}/tenure.toml
     "[application]\nname = \"notes\"\n[store]\npath = \"${FOLDER}/control.db\"\n"
     "[tenants]\npath = \"${FOLDER}/tenants/%{tenant}.db\"\n"
     "[[pool]]\nname = \"general\"\nprogram = \"${FOLDER}/build/application-worker\"\n")
run(${bin}/tenure --config ${FOLDER}/tenure.toml tenant create acme)
run(${FOLDER}/build/application ${FOLDER}/tenure.toml acme "a note")
expect("enqueued [0-9a-f-]+")
run(${FOLDER}/build/application-loop ${FOLDER}/tenure.toml acme "another note")
expect("enqueued [0-9a-f-]+")
run(${bin}/tenure --config ${FOLDER}/tenure.toml job list)
expect("notes.add_note.*notes.add_note")
run(${FOLDER}/build/application-worker --version)
expect("application 1")
run(${bin}/tenured --version)
expect("tenured [0-9]")

# The tour of README.md as its reader would copy it: into an empty folder, with five lines of CMake.
set(tour ${FOLDER}/tour)
file(COPY ${TOUR}/notes.cpp ${TOUR}/notes.hpp ${TOUR}/migrations DESTINATION ${tour})
file(READ ${TOUR}/tenure.toml settings)
string(REPLACE "%{config_dir}/../../build/release/bin/notes" "${tour}/build/notes" settings "${settings}")
file(WRITE ${tour}/tenure.toml "${settings}")
file(WRITE ${tour}/CMakeLists.txt
     "cmake_minimum_required(VERSION 3.25)\nproject(notes LANGUAGES CXX)\nfind_package(tenure 0.1 REQUIRED)\n"
     "add_executable(notes notes.cpp)\ntarget_link_libraries(notes PRIVATE tenure::client tenure::worker)\n")
run(${CMAKE_COMMAND} -G ${GENERATOR} -S ${tour} -B ${tour}/build -DCMAKE_PREFIX_PATH=${FOLDER}/installed
    -DCMAKE_CXX_COMPILER=${CXX})
run(${CMAKE_COMMAND} --build ${tour}/build)
file(MAKE_DIRECTORY ${tour}/data)
set(ENV{TENURE_CONFIG} ${tour}/tenure.toml)
run(${bin}/tenure tenant create acme)
run(${CMAKE_COMMAND} -E chdir ${tour} build/notes add acme "call the plumber")
# Until a job has succeeded, which the limit of the test bounds.
run(sh -c "${bin}/tenured & daemon=$!
           ${bin}/tenure job count state=succeeded --watch 100ms --fail-if-any
           found=$?
           kill $daemon
           wait $daemon && test $found = 1")
run(${bin}/tenure job list --json)
expect("notes.add_note")
expect("succeeded")
