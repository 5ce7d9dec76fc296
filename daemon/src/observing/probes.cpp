#include "probes.hpp"

#include "http_listener.hpp"
#include "observations.hpp"
#include "probe_answers.hpp"
#include "sampler.hpp"

#include <tenure/config/listen_address.hpp>

#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <utility>

namespace tenure::daemon {
namespace {

constexpr std::chrono::seconds kTick{1};

Metrics::Options metrics_options(const config::Settings& settings) {
  Metrics::Options options{.pools = {},
                           .top_tenants = static_cast<std::size_t>(settings.http.top_tenants),
                           .version = TENURE_VERSION};
  for (const config::PoolSettings& pool : settings.pools) options.pools.push_back(pool.name);
  return options;
}

// Tells what it sees to Observations, and the listener's thread answers from there: a loop that is stuck is still asked.
class Probes final : public Observer {
 public:
  Probes(boost::asio::io_context& context, const Clock& clock, const config::Settings& settings)
      : clock_(clock),
        observations_(metrics_options(settings), now()),
        timer_(context),
        listener_(HttpListener::open(
            *config::parse_listen_address(settings.http.probe_listen),
            {.connections = static_cast<std::size_t>(settings.http.connections_max)},
            [this](const HttpRequest& request) { return answer_probe(request, observations_, now()); })),
        sampler_(observations_, clock, settings.store.path) {
    tick();
  }

  void lock_taken() override {
    observations_.with([&](Health& health, const Metrics&) { health.lock_taken(clock_.steady()); });
  }
  void serve(queue::ReadableStore& store, std::function<DispatcherStatus()> look) override {
    look_ = std::move(look);
    sampler_.look_at(store);
  }
  void leave() override {
    look_ = {};
    sampler_.leave_store();
  }
  void happened(const Event& event, Now now) override {
    observations_.with([&](Health& health, Metrics& metrics) {
      health.happened(event, now.steady);
      metrics.happened(event, now);
    });
  }
  void decided(const Actions& actions, Now now) override {
    observations_.with([&](Health& health, Metrics& metrics) {
      health.decided(actions, now.steady);
      metrics.decided(actions, now);
    });
  }

 private:
  [[nodiscard]] Now now() const { return {clock_.wall(), clock_.steady()}; }

  void tick() {
    const DispatcherStatus status = look_ ? look_() : DispatcherStatus{};
    observations_.with([&](Health& health, Metrics& metrics) {
      health.ticked(clock_.steady());
      metrics.ticked(status, now());
    });
    timer_.expires_after(kTick);
    timer_.async_wait([this](boost::system::error_code error) {
      if (!error) tick();
    });
  }

  const Clock& clock_;
  Observations observations_;
  std::function<DispatcherStatus()> look_;
  boost::asio::steady_timer timer_;
  std::unique_ptr<HttpListener> listener_;
  Sampler sampler_;
};

}  // namespace

std::unique_ptr<Observer> make_probes(boost::asio::io_context& context, const Clock& clock,
                                      const config::Settings& settings) {
  if (settings.http.probe_listen.empty()) return std::make_unique<NoObserver>();
  return std::make_unique<Probes>(context, clock, settings);
}

}  // namespace tenure::daemon
