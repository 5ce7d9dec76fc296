#include "jobs.hpp"

#include <tenure/async.hpp>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdio>
#include <exception>

// Enqueues one job from an event loop, `application-loop CONFIG TENANT TEXT`: with Asio as this project has it, and not as Tenure has.
int main(int argc, char** argv) try {
  if (argc != 4) return std::puts("application-loop: no job"), 0;
  boost::asio::io_context loop;
  tenure::Client client = tenure::Client::open(argv[1]);
  int result = 1;
  client.async_enqueue(AddNote{argv[3]}, {.tenant = argv[2]},
                       boost::asio::bind_executor(loop, [&](const std::exception_ptr& error, tenure::Uuid id) {
                         if (error) std::rethrow_exception(error);
                         std::printf("enqueued %s\n", id.text().c_str());
                         result = 0;
                       }));
  loop.run();
  return result;
} catch (const std::exception& error) {
  std::fprintf(stderr, "application-loop: %s\n", error.what());
  return 1;
}
