#include "top_screen.hpp"

#include <tenure/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace tenure::cli {
namespace {

constexpr char kEscape = '\x1b';
constexpr char kInterrupt = '\x03', kStop = '\x1a',
               kQuit = '\x1c';  // Ctrl-C, Ctrl-Z, Ctrl-\ of a terminal that sends keys

constexpr std::string_view kMark = "\x1b[7m", kPlain = "\x1b[0m";

struct LongKey {
  std::string_view bytes;
  int rows;  // by which it moves
};
constexpr std::array kLongKeys{LongKey{"\x1b[A", -1}, LongKey{"\x1bOA", -1},   LongKey{"\x1b[B", 1},
                               LongKey{"\x1bOB", 1},  LongKey{"\x1b[5~", -10}, LongKey{"\x1b[6~", 10}};

std::string with_mark(std::string line, const Frame& frame) {
  const std::size_t end = frame.marked_from + frame.marked_size;
  line += std::string(end - std::min(character_count(line), end), ' ');
  const std::size_t from = first_characters(line, frame.marked_from).size();
  const std::size_t until = first_characters(line, end).size();
  return line.substr(0, from) + std::string(kMark) + line.substr(from, until - from) + std::string(kPlain) +
         line.substr(until);
}

// Each line over the one that was there, and what is left of that is cleared: so nothing flickers. A line that is full is not cleared
// behind, since terminals take its last character for what is behind.
std::string drawn(const Frame& frame, std::size_t columns, bool has_attributes) {
  std::string out = "\x1b[H";
  for (std::size_t at = 0; at < frame.lines.size(); ++at) {
    const std::string& line = frame.lines[at];
    const bool is_marked = has_attributes && frame.marked == at;
    out += is_marked ? with_mark(line, frame) : line;
    const std::size_t marked_until = is_marked ? frame.marked_from + frame.marked_size : 0;
    if (std::max(character_count(line), marked_until) < columns) out += "\x1b[K";
    if (at + 1 < frame.lines.size()) out += "\r\n";
  }
  return out + (frame.lines.empty() ? "\x1b[J" : "");
}

}  // namespace

TopActions TopScreen::step(const TopEvent& event, Instant now) {
  std::visit([&](const auto& what) { on(what, now); }, event);
  return std::exchange(actions_, {});
}

void TopScreen::on(const TopBegun& event, Instant now) {
  size_ = event.size;
  is_taken_ = true;
  actions_.emplace_back(TopTake{});
  look(now);
}

void TopScreen::on(const TerminalEvent& event, Instant now) {
  switch (event.what) {
    case TerminalEvent::What::time_passed:
      if (now >= next_look_) look(now);
      break;
    case TerminalEvent::What::typed:
      typed(event.bytes);
      break;
    case TerminalEvent::What::resized:  // its size comes as TopResized
      break;
    case TerminalEvent::What::stop_asked:
      stop();
      break;
    case TerminalEvent::What::end_asked:
      leave();
      break;
  }
}

void TopScreen::on(const TopResized& event, Instant) {
  size_ = event.size;
  draw();
}

void TopScreen::on(const TopLookedAt& event, Instant now) {
  picture_ = event.picture;
  const auto took = now - look_begun_;
  next_look_ = now + std::max<std::chrono::microseconds>(options_.every, kRestsTimes * took);
  moved(0);
}

void TopScreen::on(const TopExplained& event, Instant) {
  explained_ = split(event.text, '\n');
  explained_from_ = 0;
  draw();
}

void TopScreen::on(const TopWentOn& event, Instant now) {
  size_ = event.size;
  is_taken_ = true;
  actions_.emplace_back(TopTake{});
  draw();
  look(now);
}

void TopScreen::on(const TopNobodyThere&, Instant) { leave(); }

void TopScreen::look(Instant now) {
  look_begun_ = now;
  next_look_ = now + options_.every;
  actions_.emplace_back(TopLook{});
}

// Several keys may come at once, and one that sends several bytes in two parts. A lone escape is a key of its own.
void TopScreen::typed(std::string_view bytes) {
  std::string keys = std::exchange(pending_, {}) + std::string(bytes);
  std::string_view rest = keys;
  while (!rest.empty()) {
    const auto* const found =
        std::ranges::find_if(kLongKeys, [&](const LongKey& key) { return rest.starts_with(key.bytes); });
    if (found != kLongKeys.end()) {
      moved(found->rows);
      rest.remove_prefix(found->bytes.size());
      continue;
    }
    const bool is_begun = rest.size() > 1 && std::ranges::any_of(kLongKeys, [&](const LongKey& key) {
                            return key.bytes.starts_with(rest);
                          });
    if (is_begun) {
      pending_ = rest;
      return;
    }
    pressed(rest.front());
    rest.remove_prefix(1);
  }
}

void TopScreen::pressed(char key) {
  if (key == kInterrupt || key == kQuit) return leave();
  if (key == kStop) return stop();
  if (explained_) {
    if (key != 'q' && key != kEscape && key != '\r' && key != '\n') return;
    explained_.reset();
    return draw();
  }
  if (key == 'q') return leave();
  if (key == 't') return chose(TopTable::tenants);
  if (key == 'u') return chose(TopTable::queues);
  if (key == 'k') return chose(TopTable::kinds);
  if (key == 'w') return chose(TopTable::workers);
  if (key == '\r' || key == '\n') explain_chosen();
}

// The chosen row, or the lines that are shown in its place; no further than there are some.
void TopScreen::moved(int rows) {
  const auto go = [&](std::size_t from, std::size_t count) {
    const auto last = static_cast<std::int64_t>(count) - 1;
    const auto to = static_cast<std::int64_t>(from) + rows;
    return static_cast<std::size_t>(std::clamp<std::int64_t>(to, 0, std::max<std::int64_t>(last, 0)));
  };
  if (explained_) explained_from_ = go(explained_from_, explained_->size());
  else if (picture_) choice_.row = go(choice_.row, names_of_rows(*picture_, choice_.table).size());
  draw();
}

void TopScreen::chose(TopTable table) {
  if (choice_.table != table) choice_ = {.table = table, .row = 0};
  draw();
}

void TopScreen::explain_chosen() {
  constexpr std::array<std::string_view, 3> kFields{"tenant", "queue", "kind"};
  const auto table = static_cast<std::size_t>(choice_.table);
  if (!picture_ || table >= kFields.size()) return;
  const auto names = names_of_rows(*picture_, choice_.table);
  if (choice_.row < names.size())
    actions_.emplace_back(TopExplain{std::string(kFields.at(table)), names[choice_.row], size_});
}

void TopScreen::stop() {
  if (std::exchange(is_taken_, false)) actions_.emplace_back(TopGiveBack{});
  actions_.emplace_back(TopStop{});
}

void TopScreen::leave() {
  if (std::exchange(is_taken_, false)) actions_.emplace_back(TopGiveBack{});
  actions_.emplace_back(TopLeave{});
}

void TopScreen::draw() {
  const auto columns = static_cast<std::size_t>(std::max(size_.columns, 1));
  if (is_taken_) actions_.emplace_back(TopWrite{drawn(frame(), columns, options_.has_attributes)});
}

Frame TopScreen::frame() const {
  if (!explained_) return picture_ ? top_frame(*picture_, choice_, size_) : Frame{};
  Frame frame;
  const auto rows = static_cast<std::size_t>(std::max(size_.rows, 1));
  const auto columns = static_cast<std::size_t>(std::max(size_.columns, 1));
  for (std::size_t at = explained_from_; at < explained_->size() && frame.lines.size() + 1 < rows; ++at)
    frame.lines.emplace_back(first_characters((*explained_)[at], columns));
  frame.lines.resize(rows);
  frame.lines.back() = first_characters("q back", columns);
  return frame;
}

}  // namespace tenure::cli
