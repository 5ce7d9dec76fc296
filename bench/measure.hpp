#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// How every benchmark runs and prints: ours and the yardstick in turns, in one folder on a real disk, one line a figure.
// Threads: one at a time, but Stopwatch from any.
namespace tenure::bench {

struct Options {
  bool quick = false;       // one short run of each, for a look whether the programs work
  int runs = 5;             // of each figure
  std::size_t backlog = 0;  // jobs of a filled queue; 0: what the benchmark thinks right
  std::string only;         // the number of one figure; empty: all
  std::filesystem::path folder = "/var/tmp";
  std::vector<std::string> rest;  // arguments without dashes: a role inside a benchmark of several processes

  [[nodiscard]] bool wants(std::string_view figure) const { return only.empty() || only == figure; }
  // As many as were asked for; else so many, by whether it is quick.
  [[nodiscard]] std::size_t backlog_or(std::size_t of_quick, std::size_t of_whole) const {
    if (backlog > 0) return backlog;
    return quick ? of_quick : of_whole;
  }
};

// A fresh folder inside `parent`, removed with all that is in it at the end. Throws where `parent` lies in memory (tmpfs),
// whose syncs cost nothing.
class ScratchFolder {
 public:
  explicit ScratchFolder(const std::filesystem::path& parent);
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  // A name that was not given out before.
  [[nodiscard]] std::filesystem::path file(std::string_view name);

 private:
  std::filesystem::path path_;
  int files_ = 0;
};

// One result of one run. The processor time says more than the rate where others use the machine meanwhile.
struct Sample {
  double value = 0;
  double cpu_us = 0;  // of this process for each job, user and system; 0: not known
};

class Stopwatch {
 public:
  Stopwatch();
  [[nodiscard]] double seconds() const;
  // Jobs a second since the start, and what they cost.
  [[nodiscard]] Sample rate(std::size_t jobs) const;

 private:
  std::int64_t started_us_;
  double cpu_seconds_;
};

// Processor time, user and system, of the processes that this one has started and waited for, and of theirs.
[[nodiscard]] double cpu_seconds_of_children();

// Of the steady clock, which all processes of a machine share.
[[nodiscard]] std::int64_t steady_us();

// `fraction` 0.5 is the median, 0.99 the 99th percentile; 0 of nothing.
[[nodiscard]] double percentile(std::vector<double> values, double fraction);

// What a figure must reach. All that are given must hold.
struct Goal {
  std::optional<double> ratio_min = {};  // ours / yardstick
  std::optional<double> ratio_max = {};
  std::optional<double> ours_min = {};
  std::optional<double> ours_max = {};
};

// The results of the runs of one figure.
struct Figure {
  std::string number;
  std::string what;
  std::string unit;
  Goal goal;
  std::vector<Sample> ours = {};
  std::vector<Sample> yardstick = {};
  int decimals = 0;
};

// Runs `ours` and `yardstick` in turns, `runs` times each. Each returns one result for each of `figures`, in order.
using Run = std::function<std::vector<Sample>()>;
void take_turns(const Options& options, std::vector<Figure>& figures, const Run& ours, const Run& yardstick);

// One line on stdout: number, what, ours and yardstick as median [lowest..highest], ratio, goal, met or not.
void print(const Figure& figure);

struct Benchmark {
  std::string_view name;
  std::string_view what;  // it measures, for --help
  std::function<void(const Options&, ScratchFolder&)> measure;
  // Whether this process was started for a part of another one, which it has played then.
  std::function<bool(const Options&)> has_played_role = [](const Options&) { return false; };
};

// main(): reads the options, prints what is measured on, and measures in a fresh folder. 1, with the reason, where that throws, or where
// there is no figure of the number that was asked for.
[[nodiscard]] int bench_main(int argc, char** argv, const Benchmark& benchmark);

}  // namespace tenure::bench
