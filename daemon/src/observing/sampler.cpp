#include "sampler.hpp"

#include "store_sample.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/log.hpp>

#include <algorithm>
#include <exception>
#include <mutex>
#include <string>
#include <system_error>
#include <utility>

namespace tenure::daemon {

Sampler::Sampler(Observations& observations, const Clock& clock, std::filesystem::path control,
                 std::chrono::microseconds period)
    : observations_(observations),
      clock_(clock),
      control_(std::move(control)),
      period_(period),
      disk_thread_("disk",
                   [this] {
                     look_at_disk();
                     return period_;
                   }),
      store_thread_("sampler", [this] { return std::max(period_, kRestsTimes * look_at_store()); }) {}

Sampler::~Sampler() { is_leaving_ = true; }

void Sampler::look_at(queue::ReadableStore& store) {
  {
    const std::lock_guard lock(store_mutex_);
    store_ = &store;
    is_leaving_ = false;
  }
  store_thread_.now();
}

void Sampler::leave() {
  is_leaving_ = true;
  const std::scoped_lock lock(disk_mutex_, store_mutex_);
  store_ = nullptr;
}

bool Sampler::leaves_within(std::chrono::milliseconds bound) {
  is_leaving_ = true;
  const std::unique_lock disk(disk_mutex_, bound);
  if (!disk) return false;
  const std::unique_lock store(store_mutex_, bound);
  if (!store) return false;
  store_ = nullptr;
  return true;
}

// Once: the summary counts all jobs.
void Sampler::learn_library() {
  store_->read([this](queue::JobReader& reader) {
    const queue::StoreSummary summary = reader.summary();
    backend_ = summary.backend;
    library_ = summary.library.substr(summary.library.find(' ') + 1);
  });
}

std::chrono::microseconds Sampler::look_at_store() {
  const Instant begun_at = clock_.steady();
  const auto top =
      observations_.with([](const Health&, const Metrics& metrics) { return metrics.top_tenants(); });
  const std::lock_guard lock(store_mutex_);
  if (store_ == nullptr || is_leaving_) return {};
  try {
    if (backend_.empty()) learn_library();
    auto looked = sample_store(*store_, top, clock_.wall(), [this] { return is_leaving_.load(); });
    if (!looked) return {};
    StoreSample sample = std::move(*looked);
    std::error_code no_such_file;
    for (const auto& [what, end] : {std::pair{"database", ""}, {"log", "-wal"}, {"index", "-shm"}})
      if (const auto bytes = std::filesystem::file_size(control_.string() + end, no_such_file); !no_such_file)
        sample.file_bytes[what] = bytes;
    sample.backend = backend_;
    sample.library = library_;
    sample.at = clock_.steady();
    sample.took = sample.at - begun_at;
    observations_.with([&](const Health&, Metrics& metrics) { metrics.store_was_seen(std::move(sample)); });
  } catch (const std::exception& error) {  // the figures keep their age, which says so
    if (const auto left_out = lines_.pass())
      log::write(log::Level::warning, "metrics.store_unread",
                 "the figures of the store stay as they are" + left_out_text(*left_out),
                 {.error = error.what()});
  }
  return clock_.steady() - begun_at;
}

// Where nothing is told of the file system the check keeps its age, which says so.
void Sampler::look_at_disk() {
  const std::lock_guard lock(disk_mutex_);
  if (is_leaving_) return;
  std::error_code error;
  const auto space = std::filesystem::space(control_.parent_path(), error);
  if (error) return;
  observations_.with(
      [&](Health& health, const Metrics&) { health.disk_looked_at(space.available, clock_.steady()); });
}

}  // namespace tenure::daemon
