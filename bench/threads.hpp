#pragma once

#include "measure.hpp"
#include "workload.hpp"
#include "yardstick.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <numeric>
#include <thread>
#include <vector>

// Rates of several threads of one process.
namespace tenure::bench {

// Calls `once` again and again for so long; the number of calls.
template <class Once>
std::size_t repeat(double seconds, Once once) {
  const Stopwatch watch;
  std::size_t done = 0;
  for (; watch.seconds() < seconds; ++done) once(done);
  return done;
}

// The same from several threads, all of them together. `make` makes what one thread calls.
template <class Make>
Sample rate_of_threads(std::size_t threads, double seconds, Make make) {
  std::vector<std::size_t> done(threads);
  const Stopwatch watch;
  {
    std::vector<std::jthread> running;
    for (std::size_t i = 0; i < threads; ++i)
      running.emplace_back([&, i, once = make(i)]() mutable { done[i] = repeat(seconds, once); });
  }
  return watch.rate(std::accumulate(done.begin(), done.end(), std::size_t{0}));
}

// What plain C reaches that groups its commits.
inline Sample group_yardstick(const std::filesystem::path& file, std::size_t threads, double seconds,
                              std::uint64_t seed) {
  const auto open = open_yardstick(file, YARDSTICK_FULL);
  yardstick_group* group = yardstick_group_open(open.get());
  const Sample rate = rate_of_threads(threads, seconds, [&](std::size_t thread) {
    return [group, tenants = std::make_shared<ZipfTenants>(seed + thread)](std::size_t) {
      const auto tenant = static_cast<std::int64_t>(tenants->next());
      yardstick_group_enqueue(group, tenant, payload().data(), payload().size());
    };
  });
  yardstick_group_close(group);
  return rate;
}

}  // namespace tenure::bench
