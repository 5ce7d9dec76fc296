#include "server.hpp"

#include <tenure/client.hpp>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>

// exports-server CONFIG PORT: serves until SIGTERM or SIGINT.
int main(int argc, char** argv) {
  if (argc != 3) return std::fputs("exports-server CONFIG PORT\n", stderr), 64;
  try {
    boost::asio::io_context loop;  // outlives the client, whose calls end on it
    tenure::Client client = tenure::Client::open(argv[1]);
    exports::Server server(loop, client, static_cast<std::uint16_t>(std::stoi(argv[2])));
    boost::asio::signal_set signals(loop, SIGTERM, SIGINT);
    signals.async_wait([&](auto&&...) { loop.stop(); });
    std::printf("http://127.0.0.1:%d/TENANT/exports\n", server.port());
    std::fflush(stdout);
    loop.run();
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "exports-server: %s\n", error.what());
    return 1;
  }
}
