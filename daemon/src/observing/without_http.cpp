#include "probes.hpp"

#include <tenure/base/error.hpp>
#include <tenure/config/check.hpp>

#include <string>

// In place of all that answers, where the build has no HTTP (TENURE_HTTP).
namespace tenure::daemon {

std::unique_ptr<Observer> make_probes(boost::asio::io_context&, const Clock&,
                                      const config::Settings& settings) {
  if (settings.http.probe_listen.empty()) return std::make_unique<NoObserver>();
  raise(ErrorCode::bad_configuration, std::string(config::kWithoutHttp));
}

}  // namespace tenure::daemon
