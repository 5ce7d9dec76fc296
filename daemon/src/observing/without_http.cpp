#include "probes.hpp"

#include <tenure/base/error.hpp>

// In place of all that answers, where the build has no HTTP (TENURE_HTTP).
namespace tenure::daemon {

std::unique_ptr<Observer> make_probes(boost::asio::io_context&, const Clock&,
                                      const config::Settings& settings) {
  if (settings.http.probe_listen.empty()) return std::make_unique<NoObserver>();
  raise(ErrorCode::bad_configuration,
        "http.probe_listen is set, and this tenured was built without HTTP; leave it empty, or build with "
        "-DTENURE_HTTP=ON");
}

}  // namespace tenure::daemon
