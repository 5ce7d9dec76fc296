#pragma once

#include "../control/controlled.hpp"
#include "../control/listener.hpp"
#include "../control/server.hpp"

#include <tenure/config/settings.hpp>

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <memory>

namespace tenure::daemon {

// Who stands by has a socket of its own beside that of the holder, which is free for whoever gets the lock.
enum class OperatorsOf : std::uint8_t { holder, standing_by };

// Begins to answer operators where the settings say, or at the socket that the service manager has passed. Null where the settings say
// nowhere, and where it cannot be, with a line in the log: jobs are dispatched all the same. `daemon` must outlive the result.
[[nodiscard]] std::unique_ptr<control::Server> serve_operators(const boost::asio::any_io_executor& executor,
                                                               const config::Settings& settings,
                                                               const control::Listener* passed,
                                                               control::Controlled& daemon, OperatorsOf whom);

}  // namespace tenure::daemon
