#pragma once

#include "../loop/observer.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/config/settings.hpp>

#include <boost/asio/io_context.hpp>

#include <memory>

namespace tenure::daemon {

// What answers on http.probe_listen, or what does nothing where that is empty. `context` and `clock` must outlive it. Its
// lock_taken() throws what HttpListener::open does.
[[nodiscard]] std::unique_ptr<Observer> make_probes(boost::asio::io_context& context, const Clock& clock,
                                                    const config::Settings& settings);

}  // namespace tenure::daemon
