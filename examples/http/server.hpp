#pragma once

#include <tenure/client.hpp>

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <memory>

// A small web application that enqueues a job for each request, on one thread that waits for nobody:
//   POST /TENANT/exports        the body says what: 202 with the job's id, once the job is on disk; 503 where too many wait
//   GET  /TENANT/exports/ID     whether it is ready: 200 with the result, 202 while it is not, 404 for a job that is not the tenant's
//   GET  /TENANT/exports/ID?wait    the same, answered when the export has ended, at the latest after a minute
// Who asks for which tenant is not looked at here: an application knows its users.
namespace exports {

class Server {
 public:
  // Listens on the loopback address; 0 is a free port. Both must outlive it, and `loop` the client's calls too.
  Server(boost::asio::io_context& loop, tenure::Client& client, std::uint16_t port);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] std::uint16_t port() const;
  // Accepts no more; what is being answered is.
  void stop();

 private:
  class Listener;
  std::shared_ptr<Listener> listener_;
};

}  // namespace exports
