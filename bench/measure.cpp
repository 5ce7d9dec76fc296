#include "measure.hpp"

#include <tenure/base/clock.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iterator>
#include <linux/magic.h>
#include <sched.h>
#include <stdexcept>
#include <sys/resource.h>
#include <sys/statfs.h>
#include <unistd.h>

namespace tenure::bench {
namespace {

int figures_printed = 0;

constexpr int kRunsMax = 1000;
constexpr int kBacklogMax = 100'000'000;

[[noreturn]] void leave(int code, const std::string& message) {
  std::fputs((message + "\n").c_str(), code == 0 ? stdout : stderr);
  std::exit(code);
}

std::string help(std::string_view what) {
  return fmt::format(
      "{}\n\n"
      "  --quick         one short run of each figure\n"
      "  --runs N        runs of each figure, 5 unless said, 1 to {}\n"
      "  --figure N      only this figure\n"
      "  --backlog N     jobs of a filled queue, whole thousands\n"
      "  --folder DIR    where the databases lie, on a real disk; /var/tmp unless said\n\n"
      "Each line is one figure: ours and the yardstick as median [lowest..highest], and whether the goal is "
      "met.\n"
      "docs/performance.md says how to read it.",
      what, kRunsMax);
}

// Seconds that all cores together were busy, and those of them that were ours.
struct CoreSeconds {
  double all = 0;
  double ours = 0;
};

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double cpu_seconds(int who) {
  rusage usage{};
  ::getrusage(who, &usage);
  return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

CoreSeconds core_seconds() {
  CoreSeconds used;
  std::ifstream stat("/proc/stat");
  std::string word;
  double user = 0, nice = 0, system = 0, idle = 0, wait = 0, interrupts = 0, soft = 0, stolen = 0;
  stat >> word >> user >> nice >> system >> idle >> wait >> interrupts >> soft >> stolen;
  used.all =
      (user + nice + system + interrupts + soft + stolen) / static_cast<double>(::sysconf(_SC_CLK_TCK));
  used.ours = cpu_seconds(RUSAGE_SELF) + cpu_seconds(RUSAGE_CHILDREN);
  return used;
}

int cores() {
  cpu_set_t set;
  return ::sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

struct Spread {
  double median = 0;
  double lowest = 0;
  double highest = 0;
};

Spread spread_of(const std::vector<Sample>& samples, double Sample::*field = &Sample::value) {
  std::vector<double> values;
  values.reserve(samples.size());
  for (const Sample& sample : samples) values.push_back(sample.*field);
  if (values.empty()) return {};
  const auto [lowest, highest] = std::minmax_element(values.begin(), values.end());
  return {percentile(values, 0.5), *lowest, *highest};
}

// 1234567.8 with one decimal is "1,234,567.8".
std::string number(double value, int decimals) {
  std::string text = fmt::format("{:.{}f}", value, decimals);
  const std::size_t point = std::min(text.find('.'), text.size());
  for (std::size_t i = point; i > 3 && text[i - 4] != '-'; i -= 3) text.insert(i - 3, 1, ',');
  return text;
}

std::string shown(const std::vector<Sample>& samples, int decimals) {
  const Spread spread = spread_of(samples);
  return fmt::format("{} [{}..{}]", number(spread.median, decimals), number(spread.lowest, decimals),
                     number(spread.highest, decimals));
}

struct Verdict {
  std::string goal;
  bool met = true;

  void add(const std::string& text, bool holds) {
    goal += (goal.empty() ? "" : " and ") + text;
    met = met && holds;
  }
};

Verdict judge(const Figure& figure) {
  const double ours = spread_of(figure.ours).median;
  const double yardstick = spread_of(figure.yardstick).median;
  Verdict verdict;
  if (const auto& least = figure.goal.ratio_min)
    verdict.add(fmt::format("ratio >= {:.2f}", *least), yardstick > 0 && ours / yardstick >= *least);
  if (const auto& most = figure.goal.ratio_max)
    verdict.add(fmt::format("ratio <= {:.2f}", *most), yardstick > 0 && ours / yardstick <= *most);
  if (const auto& least = figure.goal.ours_min)
    verdict.add(fmt::format("ours >= {}", number(*least, figure.decimals)), ours >= *least);
  if (const auto& most = figure.goal.ours_max)
    verdict.add(fmt::format("ours <= {}", number(*most, figure.decimals)), ours <= *most);
  return verdict;
}

int number_of(const std::string& option, const std::string& text, int most) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 1 || value > most)
    leave(2, fmt::format("{} is {}, not a number from 1 to {}", option, text, most));
  return value;
}

// Prints help, or what is wrong, and exits.
Options parse_options(int argc, char** argv, std::string_view what) {
  Options options;
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    const auto value = [&]() -> const std::string& {
      if (i + 1 == arguments.size()) leave(2, argument + " wants a value; try --help");
      return arguments[++i];
    };
    if (argument == "--help") leave(0, help(what));
    else if (argument == "--quick") options.quick = true;
    else if (argument == "--figure") options.only = value();
    else if (argument == "--folder") options.folder = value();
    else if (argument == "--runs") options.runs = number_of(argument, value(), kRunsMax);
    else if (argument == "--backlog")
      options.backlog = static_cast<std::size_t>(number_of(argument, value(), kBacklogMax));
    else if (argument.starts_with("-")) leave(2, argument + " is unknown; try --help");
    else options.rest.push_back(argument);
  }
  if (options.quick) options.runs = 1;
  return options;
}

void print_conditions(const Options& options, std::string_view program) {
  double load[1] = {0};
  if (::getloadavg(load, 1) != 1) load[0] = 0;
  std::puts(fmt::format("{}: {} core{}, load {:.2f}, {} run{} of each figure, folder {}\n"
                        "payload 200 bytes; 1,000 tenants, Zipf 1.0; no limits and no keys but in figure 11",
                        program, cores(), cores() == 1 ? "" : "s", load[0], options.runs,
                        options.runs == 1 ? "" : "s", options.folder.string())
                .c_str());
  std::fflush(stdout);
}

void require_figures(const Options& options) {
  if (figures_printed == 0) throw std::runtime_error("there is no figure " + options.only + " here");
}

}  // namespace

ScratchFolder::ScratchFolder(const std::filesystem::path& parent) {
  struct statfs system {};
  if (::statfs(parent.c_str(), &system) != 0)
    throw std::runtime_error(fmt::format("{} is no folder; name one with --folder", parent.string()));
  if (system.f_type == TMPFS_MAGIC || system.f_type == RAMFS_MAGIC)
    throw std::runtime_error(
        fmt::format("{} lies in memory, where a sync costs nothing; name a folder on a disk with --folder",
                    parent.string()));
  std::string name = (parent / "tenure-bench-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr)
    throw std::runtime_error(
        fmt::format("no folder can be made in {}; name another with --folder", parent.string()));
  path_ = name;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::filesystem::path ScratchFolder::file(std::string_view name) {
  return path_ / fmt::format("{}-{}", ++files_, name);
}

std::int64_t steady_us() { return RealClock{}.steady().since_start.count(); }

Stopwatch::Stopwatch() : started_us_(steady_us()), cpu_seconds_(cpu_seconds(RUSAGE_SELF)) {}

double Stopwatch::seconds() const { return static_cast<double>(steady_us() - started_us_) / 1e6; }

Sample Stopwatch::rate(std::size_t jobs) const {
  const auto count = static_cast<double>(jobs);
  return {.value = count / seconds(), .cpu_us = (cpu_seconds(RUSAGE_SELF) - cpu_seconds_) * 1e6 / count};
}

double cpu_seconds_of_children() { return cpu_seconds(RUSAGE_CHILDREN); }

double percentile(std::vector<double> values, double fraction) {
  if (values.empty()) return 0;
  const auto last = static_cast<double>(values.size() - 1);
  const auto nth = static_cast<std::ptrdiff_t>(std::llround(fraction * last));
  std::nth_element(values.begin(), values.begin() + nth, values.end());
  return values[static_cast<std::size_t>(nth)];
}

void take_turns(const Options& options, std::vector<Figure>& figures, const Run& ours, const Run& yardstick) {
  const CoreSeconds before = core_seconds();
  const Stopwatch watch;
  for (int run = 0; run < options.runs; ++run) {
    const auto of_ours = ours();
    const auto of_yardstick = yardstick();
    for (std::size_t i = 0; i < figures.size(); ++i) {
      if (i < of_ours.size()) figures[i].ours.push_back(of_ours[i]);
      if (i < of_yardstick.size()) figures[i].yardstick.push_back(of_yardstick[i]);
    }
  }
  const CoreSeconds after = core_seconds();
  for (const Figure& figure : figures) print(figure);
  const double others = (after.all - before.all - (after.ours - before.ours)) / watch.seconds() / cores();
  std::printf("           while it ran, others used %.0f %% of the cores%s\n", std::max(0.0, others) * 100,
              others > 0.1 ? ": measured under load" : "");
  std::fflush(stdout);
}

void print(const Figure& figure) {
  if (figure.ours.empty()) throw std::runtime_error("figure " + figure.number + " has no result");
  ++figures_printed;
  const Verdict verdict = judge(figure);
  const double yardstick = spread_of(figure.yardstick).median;
  std::string line = fmt::format("figure {:<3} {} | ours {} {}", figure.number, figure.what,
                                 shown(figure.ours, figure.decimals), figure.unit);
  if (!figure.yardstick.empty())
    line += fmt::format(" | yardstick {} {} | ratio {:.2f}", shown(figure.yardstick, figure.decimals),
                        figure.unit, yardstick > 0 ? spread_of(figure.ours).median / yardstick : 0.0);
  if (const double cpu = spread_of(figure.ours, &Sample::cpu_us).median; cpu > 0)
    line += fmt::format(" | cpu a job {:.1f} and {:.1f} us", cpu,
                        spread_of(figure.yardstick, &Sample::cpu_us).median);
  if (!verdict.goal.empty())
    line += fmt::format(" | goal {} | {}", verdict.goal, verdict.met ? "met" : "not met");
  std::puts(line.c_str());
  std::fflush(stdout);
}

int bench_main(int argc, char** argv, const Benchmark& benchmark) {
  const Options options = parse_options(argc, argv, fmt::format("{}: {}", benchmark.name, benchmark.what));
  try {
    if (benchmark.has_played_role(options)) return 0;
    print_conditions(options, benchmark.name);
    ScratchFolder folder(options.folder);
    benchmark.measure(options, folder);
    require_figures(options);
    return 0;
  } catch (const std::exception& error) {
    std::fputs(fmt::format("{}: {}\n", benchmark.name, error.what()).c_str(), stderr);
    return 1;
  }
}

}  // namespace tenure::bench
