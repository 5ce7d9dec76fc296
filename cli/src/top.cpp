#include "filter_text.hpp"
#include "nouns.hpp"
#include "top_layout.hpp"
#include "top_picture.hpp"
#include "top_screen.hpp"
#include "why.hpp"

#include <tenure/base/log.hpp>
#include <tenure/base/text.hpp>

#include <array>
#include <utility>

// tenure top: one picture, or on a terminal one after the other in the same place.
namespace tenure::cli {
namespace {

constexpr std::string_view kEveryDefault = "2s";
constexpr std::size_t kProblemMax = 1024;  // bytes

// Carries out what TopScreen wants, and tells it what happened.
class LiveTop {
 public:
  LiveTop(Session& session, std::unique_ptr<LiveTerminal> terminal, TopScreen::Options options)
      : session_(session), terminal_(std::move(terminal)), screen_(options) {}

  void run() {
    tell(TopBegun{terminal_->size()});
    while (!has_left_) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(screen_.next_at() - now());
      TerminalEvent event = terminal_->wait(std::max(left, std::chrono::milliseconds{0}));
      if (event.what == TerminalEvent::What::resized) tell(TopResized{terminal_->size()});
      else tell(std::move(event));
    }
  }

 private:
  [[nodiscard]] Instant now() const { return session_.environment().clock.steady(); }

  void tell(TopEvent event) {
    for (const TopAction& action : screen_.step(event, now()))
      std::visit([this](const auto& what) { perform(what); }, action);
  }
  void perform(const TopTake&) { terminal_->take(); }
  void perform(const TopGiveBack&) { terminal_->give_back(); }
  void perform(const TopWrite& action) {
    if (!terminal_->write(action.text)) tell(TopNobodyThere{});
  }
  // A store that is busy or away for a moment ends no live picture: it is looked at again.
  void perform(const TopLook&) {
    try {
      tell(TopLookedAt{take_top_picture(session_)});
    } catch (const Error& error) {
      TopPicture picture;
      picture.at = now_of_clock();
      picture.problem = escaped(error.failure().text(), kProblemMax);
      tell(TopLookedAt{std::move(picture)});
    }
  }
  void perform(const TopExplain& action) {
    const std::array words{exact_term(action.field, action.name)};
    const TableStyle style{.columns_max = static_cast<std::size_t>(std::max(action.size.columns, 1))};
    tell(TopExplained{"tenure why " + shell_text(words) + "\n\n" + reasons(words, style)});
  }
  std::string reasons(std::span<const std::string> words, const TableStyle& style) {
    try {
      return reasons_text(session_, words, style, now_of_clock());
    } catch (const Error& error) {
      return escaped(error.failure().text(), kProblemMax);
    }
  }
  WallTime now_of_clock() const { return session_.environment().clock.wall(); }
  void perform(const TopStop&) {
    terminal_->stop_process();
    tell(TopWentOn{terminal_->size()});
  }
  void perform(const TopLeave&) { has_left_ = true; }

  Session& session_;
  std::unique_ptr<LiveTerminal> terminal_;
  TopScreen screen_;
  bool has_left_ = false;
};

}  // namespace

bool top_draws_again(const Environment& environment, const CommandLine& line) {
  return environment.data_is_terminal && environment.answers_are_terminal && !line.has("json") &&
         variable(environment, "TERM") != "dumb";
}

ExitCode worker_top(Session& session) {
  if (!top_draws_again(session.environment(), session.command_line())) {
    const TopPicture picture = take_top_picture(session);
    if (session.json()) session.print_json(top_json(picture));
    else session.print(top_text(picture, session.style()));
    return ExitCode::done;
  }
  const auto every = watch_interval(session.has("watch") ? session.option("watch") : kEveryDefault);
  (void)session.settings();  // what is to be said of them is said before the screen is taken
  (void)session.readable_store();
  log::silence();
  LiveTop(session, session.environment().open_terminal(),
          {.every = every, .has_attributes = session.table_style().bold_header})
      .run();
  return ExitCode::done;
}

}  // namespace tenure::cli
