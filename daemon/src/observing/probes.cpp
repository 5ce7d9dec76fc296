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

std::vector<std::string> names_of_pools(const config::Settings& settings) {
  std::vector<std::string> names;
  for (const config::PoolSettings& pool : settings.pools) names.push_back(pool.name);
  return names;
}

std::vector<std::int64_t> reserved_slots_of_pools(const config::Settings& settings) {
  std::vector<std::int64_t> slots;
  for (const config::PoolSettings& pool : settings.pools) {
    slots.push_back(0);
    for (const config::ReservedSlots& reserved : pool.reserved) slots.back() += reserved.slots;
  }
  return slots;
}

// Tells what it sees to Observations, and the listener's thread answers from there: a loop that is stuck is still asked.
class Probes final : public Observer {
 public:
  Probes(boost::asio::io_context& context, const Clock& clock, const config::Settings& settings)
      : clock_(clock),
        observations_({.pools = names_of_pools(settings),
                       .top_tenants = static_cast<std::size_t>(settings.http.top_tenants),
                       .version = TENURE_VERSION},
                      now()),
        timer_(context),
        address_(*config::parse_listen_address(settings.http.probe_listen)),
        connections_max_(static_cast<std::size_t>(settings.http.connections_max)),
        sampler_(observations_, clock, settings.store.path) {
    tick();
  }

  // Whoever dispatches comes first: where it has the same address, it waits for it now.
  void standing_by() override {
    if (listener_) listener_->rest();
    else open_listener(HttpListener::Begin::after_a_rest);
  }
  void lock_taken(const config::Settings& settings) override {
    observations_.with([&](Health& health, Metrics& metrics) {
      health.lock_taken(clock_.steady());
      metrics.lock_taken(names_of_pools(settings));
      metrics.slots_are_reserved(reserved_slots_of_pools(settings));
    });
    if (!listener_) open_listener(HttpListener::Begin::at_once);
  }
  void serve(queue::ReadableStore& store, std::function<DispatcherStatus()> look) override {
    look_ = std::move(look);
    sampler_.look_at(store);
  }
  void leave() override {
    look_ = {};
    sampler_.leave();
  }
  [[nodiscard]] bool leaves_within(std::chrono::milliseconds bound) override {
    look_ = {};
    return sampler_.leaves_within(bound);
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
  void swept(const SweepFigures& figures) override {
    observations_.with([&](const Health&, Metrics& metrics) { metrics.swept(figures); });
  }
  void pruned(const queue::Pruned& jobs) override {
    observations_.with([&](const Health&, Metrics& metrics) { metrics.pruned(jobs); });
  }

 private:
  [[nodiscard]] Now now() const { return {clock_.wall(), clock_.steady()}; }

  void open_listener(HttpListener::Begin begin) {
    listener_ = HttpListener::open(
        address_, {.connections = connections_max_},
        [this](const HttpRequest& request) { return answer_probe(request, observations_, now()); }, begin);
  }

  void tick() {
    const DispatcherStatus status = look_ ? look_() : DispatcherStatus{};
    observations_.with([&](Health& health, Metrics& metrics) {
      health.ticked(clock_.steady());
      health.pools_are_quiet(status.pools > 0 && status.quiet_pools == status.pools);
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
  const config::ListenAddress address_;
  const std::size_t connections_max_;
  std::unique_ptr<HttpListener> listener_;  // once it is known who dispatches
  Sampler sampler_;
};

}  // namespace

std::unique_ptr<Observer> make_probes(boost::asio::io_context& context, const Clock& clock,
                                      const config::Settings& settings) {
  if (settings.http.probe_listen.empty()) return std::make_unique<NoObserver>();
  return std::make_unique<Probes>(context, clock, settings);
}

}  // namespace tenure::daemon
