#include "metrics.hpp"

#include "metric_table.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace tenure::daemon {

void Metrics::happened(const Event& event, Now now) {
  runs_.happened(event, now, *this);
  if (const auto* const done = std::get_if<RoundDone>(&event)) {
    on_round(done->reply, now);
  } else if (const auto* const failed = std::get_if<RoundFailed>(&event)) {
    ++store_errors_[name_of(failed->failure.code)];
    store_busy_ += failed->failure.code == ErrorCode::store_busy ? 1 : 0;
    round_.reset();
  } else if (const auto* const ready = std::get_if<WorkerReady>(&event)) {
    workers_.said_hello(*ready);
  } else if (const auto* const pong = std::get_if<Ponged>(&event)) {
    workers_.ponged(*pong);
  } else if (const auto* const quiet = std::get_if<QuietAsked>(&event)) {
    workers_.set_quiet(quiet->pool, true);
  } else if (const auto* const resume = std::get_if<ResumeAsked>(&event)) {
    workers_.set_quiet(resume->pool, false);
  } else if (const auto* const reload = std::get_if<Reconfigured>(&event)) {
    std::vector<std::int64_t> kept;
    for (const Reconfigured::Pool& pool : reload->pools) {
      kept.push_back(0);
      for (const queue::ReservedSlots& reserved : pool.reserved) kept.back() += reserved.slots;
    }
    workers_.set_reserved(std::move(kept));
  } else if (const auto* const gone = std::get_if<WorkerGone>(&event)) {
    workers_.gone(*gone);
  }
}

void Metrics::decided(const Actions& actions, Now now) {
  runs_.decided(actions, now, *this);
  for (const Action& action : actions) {
    if (const auto* const round = std::get_if<RunRound>(&action)) {
      round_ = round->work;
      round_at_ = now.steady;
    } else if (const auto* const start = std::get_if<StartProcess>(&action)) {
      workers_.started(*start);
    } else if (const auto* const drain = std::get_if<Drain>(&action)) {
      workers_.is_told_to_leave(drain->process);
    } else if (const auto* const end = std::get_if<EndProcess>(&action)) {
      workers_.is_ended(end->process);
    }
  }
}

void Metrics::on_round(const RoundReply& reply, Now now) {
  const auto work = std::exchange(round_, nullptr);
  if (!work) return;
  rounds_.add(now.steady - round_at_);
  jobs_.stored(*work, reply);
  schedules_.stored(*work, reply, now);
  fan_outs_.stored(reply);
}

void Metrics::left(const Run& run, Now now) {
  if (run.since) top_tenants_.used(run, now.steady);
}

void Metrics::ticked(const DispatcherStatus& status, Now now) {
  status_ = status;
  if (!top_tenants_.is_over(now.steady)) return;
  runs_.for_each_performing([&](const Run& run) { left(run, now); });
  top_tenants_.choose(now.steady);
}

void Metrics::store_was_seen(StoreSample sample) {
  samples_.add(sample.took);
  sample_ = std::move(sample);
}

std::vector<TenantName> Metrics::top_tenants() const {
  std::vector<TenantName> names;
  for (const TopTenants::Chosen& tenant : top_tenants_.chosen()) names.push_back(tenant.name);
  return names;
}

MetricFamilies Metrics::collect(Now now) {
  MetricFamilies families;
  jobs_.add_to(families);
  schedules_.add_to(families);
  fan_outs_.add_to(families);
  workers_.add_to(families, runs_);
  families.add(metric::kLanes, {{"gate", "none"}}, static_cast<double>(status_.lanes - status_.parked));
  families.add(metric::kLanes, {{"gate", "some"}}, static_cast<double>(status_.parked));
  for (const TopTenants::Chosen& tenant : top_tenants_.chosen())
    families.add(metric::kTopSlotRatio, {{"tenant", tenant.name.text()}}, tenant.ratio);
  add_outboxes(families, now);
  add_store(families, now);
  if (sample_)
    families.add(metric::kBuild,
                 {{"version", options_.version}, {"backend", sample_->backend}, {"sqlite", sample_->library}},
                 1);
  return families;
}

void Metrics::add_outboxes(MetricFamilies& families, Now now) const {
  const auto add = [&](const MetricInfo& info, std::int64_t value) {
    families.add(info, {}, static_cast<double>(value));
  };
  add(metric::kOutboxMarked, swept_.marked_files);
  add(metric::kOutboxTrouble, swept_.files_in_trouble);
  families.add(metric::kOutboxOldest, {},
               swept_.oldest_wait
                   ? std::max(0.0, static_cast<double>((now.wall - *swept_.oldest_wait).count()) / 1e6)
                   : 0);
  add(metric::kOutboxRows, swept_.rows_taken_over);
  add(metric::kOutboxMissing, swept_.rows_missing);
  for (const auto& [state, jobs] :
       {std::pair{"succeeded", pruned_.succeeded}, std::pair{"dead", pruned_.dead},
        std::pair{"discarded", pruned_.discarded}, std::pair{"cancelled", pruned_.cancelled}})
    families.add(metric::kRetentionDeleted, {{"state", state}}, static_cast<double>(jobs));
}

void Metrics::add_store(MetricFamilies& families, Now now) {
  families.add(metric::kStoreOperation, {{"operation", "round"}}, rounds_.value());
  families.add(metric::kStoreOperation, {{"operation", "sample"}}, samples_.value());
  for (const auto& [error, count] : store_errors_)
    families.add(metric::kStoreErrors, {{"class", std::string{error}}}, static_cast<double>(count));
  families.add(metric::kStoreBusy, {}, static_cast<double>(store_busy_));
  if (sample_) add_to(families, *sample_, queue_names_, now);
}

}  // namespace tenure::daemon
