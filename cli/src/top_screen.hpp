#pragma once

#include "live_frame.hpp"
#include "top_layout.hpp"
#include "top_picture.hpp"

#include <tenure/base/clock.hpp>
#include <tenure/cli/live_terminal.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

// What `tenure top` does on a terminal: which keys do what, when it looks again, and that the terminal is given back on each way out.
// A machine without I/O.
namespace tenure::cli {

// What happened, besides what the terminal tells.
struct TopBegun {
  TerminalSize size;
};
struct TopResized {
  TerminalSize size;
};
struct TopLookedAt {
  TopPicture picture;
};
struct TopExplained {
  std::string text;  // printable lines
};
struct TopWentOn {  // after TopStop
  TerminalSize size;
};
struct TopNobodyThere {};  // what was written reaches nobody
using TopEvent =
    std::variant<TopBegun, TerminalEvent, TopResized, TopLookedAt, TopExplained, TopWentOn, TopNobodyThere>;

// What shall be done about it, in this order.
struct TopTake {};  // the terminal
struct TopGiveBack {};
struct TopWrite {
  std::string text;
};
struct TopLook {};
struct TopExplain {
  std::string field, name;  // of the jobs that match it
  TerminalSize size;
};
struct TopStop {};  // this process, until somebody has it go on
struct TopLeave {};
using TopAction = std::variant<TopTake, TopGiveBack, TopWrite, TopLook, TopExplain, TopStop, TopLeave>;
using TopActions = std::vector<TopAction>;

class TopScreen {
 public:
  // A look at a store with many jobs takes long, and shall not take more than this part of the time.
  static constexpr int kRestsTimes = 10;

  struct Options {
    std::chrono::milliseconds every{2000};
    bool has_attributes = true;  // of text: bold and reverse
  };
  explicit TopScreen(Options options) : options_(options) {}

  [[nodiscard]] TopActions step(const TopEvent& event, Instant now);
  // When time_passed is due.
  [[nodiscard]] Instant next_at() const { return next_look_; }

 private:
  void on(const TopBegun& event, Instant now);
  void on(const TerminalEvent& event, Instant now);
  void on(const TopResized& event, Instant now);
  void on(const TopLookedAt& event, Instant now);
  void on(const TopExplained& event, Instant now);
  void on(const TopWentOn& event, Instant now);
  void on(const TopNobodyThere& event, Instant now);

  void look(Instant now);
  void typed(std::string_view bytes);
  void pressed(char key);
  void moved(int rows);
  void chose(TopTable table);
  void explain_chosen();
  void stop();
  void leave();
  void draw();
  [[nodiscard]] Frame frame() const;

  Options options_;
  TerminalSize size_;
  std::optional<TopPicture> picture_;
  TopChoice choice_;
  std::optional<std::vector<std::string>> explained_;  // in place of the picture
  std::size_t explained_from_ = 0;                     // its first line that is shown
  Instant look_begun_, next_look_;
  std::string pending_;  // the beginning of a key that sends several bytes
  bool is_taken_ = false;
  TopActions actions_;  // of this step
};

}  // namespace tenure::cli
