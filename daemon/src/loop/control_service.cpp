#include "control_service.hpp"

#include <tenure/base/log.hpp>
#include <tenure/config/control_socket.hpp>

#include <exception>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace tenure::daemon {
namespace {

// Who owns the control database may own what is beside it: root's daemon makes it so.
uid_t owner_of_store(const config::Settings& settings) {
  struct stat status {};
  const bool is_there = ::stat(settings.store.path.c_str(), &status) == 0 ||
                        ::stat(settings.store.path.parent_path().c_str(), &status) == 0;
  return is_there ? status.st_uid : ::geteuid();
}

std::optional<control::Listener> listen_for(const config::Settings& settings, const control::Listener* passed,
                                            OperatorsOf whom) {
  if (passed != nullptr) return passed->again();
  std::filesystem::path path = config::control_socket_path(settings);
  if (path.empty()) return std::nullopt;
  if (whom == OperatorsOf::standing_by) path = config::standby_socket_path(path);
  return control::Listener::bind(path, owner_of_store(settings));
}

}  // namespace

std::unique_ptr<control::Server> serve_operators(const boost::asio::any_io_executor& executor,
                                                 const config::Settings& settings,
                                                 const control::Listener* passed, control::Controlled& daemon,
                                                 OperatorsOf whom) {
  try {
    if (auto listener = listen_for(settings, passed, whom))
      return std::make_unique<control::Server>(executor, std::move(*listener), daemon);
  } catch (const std::exception& error) {
    // Of those who stand by, one answers for all.
    const auto* const refused = dynamic_cast<const Error*>(&error);
    const bool is_served =
        whom == OperatorsOf::standing_by && refused != nullptr && refused->code() == ErrorCode::lock_held;
    if (!is_served)
      log::write(log::Level::warning, "control.unavailable",
                 "operators cannot ask this daemon (tenure worker, tenure config reload)",
                 {.error = error.what()});
  }
  return nullptr;
}

}  // namespace tenure::daemon
