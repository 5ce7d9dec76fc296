#include "sampler.hpp"

#include "store_sample.hpp"

#include <tenure/base/error.hpp>
#include <tenure/base/log.hpp>

#include <algorithm>
#include <exception>
#include <pthread.h>
#include <string>
#include <system_error>
#include <utility>

namespace tenure::daemon {

Sampler::Sampler(Observations& observations, const Clock& clock, std::filesystem::path control)
    : observations_(observations), clock_(clock), control_(std::move(control)), thread_([this] { run(); }) {}

Sampler::~Sampler() {
  is_leaving_ = true;
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Sampler::look_at(queue::ReadableStore& store) {
  {
    const std::lock_guard lock(store_mutex_);
    store_ = &store;
    is_leaving_ = false;
  }
  {
    const std::lock_guard lock(mutex_);
    is_asked_ = true;
  }
  changed_.notify_all();
}

void Sampler::leave_store() {
  is_leaving_ = true;
  const std::lock_guard lock(store_mutex_);
  store_ = nullptr;
}

void Sampler::run() {
  ::pthread_setname_np(::pthread_self(), "sampler");
  while (true) {
    look_at_disk();
    const std::chrono::microseconds rest =
        std::max<std::chrono::microseconds>(kPeriod, kRestsTimes * look_at_store());
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, rest, [this] { return is_stopping_ || is_asked_; });
    if (is_stopping_) return;
    is_asked_ = false;
  }
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
    auto looked = sample_store(*store_, top, [this] { return is_leaving_.load(); });
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
  std::error_code error;
  const auto space = std::filesystem::space(control_.parent_path(), error);
  if (error) return;
  observations_.with(
      [&](Health& health, const Metrics&) { health.disk_looked_at(space.available, clock_.steady()); });
}

}  // namespace tenure::daemon
