#pragma once

#include <tenure/base/clock.hpp>
#include <tenure/daemon/dispatcher.hpp>
#include <tenure/queue/outbox.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace tenure::daemon {

// One file that is to be looked at, and the marks that end where it is found empty.
struct SweepLook {
  queue::OutboxOwner owner;
  std::vector<queue::OutboxMark> ending;
};

// What was found there.
struct SweepOutcome {
  queue::OutboxSeq watermark{0};
  bool is_empty = false;
  bool has_ended_marks = false;
  std::string trouble = {};  // why its rows wait; empty: nothing is in their way
  bool is_of_store = false;  // the trouble is the control database's and says nothing of the file
};

// Which tenants' files are looked at for rows of their outboxes, and when: those with marks and no other. It decides and does nothing.
//
// Those whose marks were there at the start come at once, and so does one with a mark for one look: a run has ended without a word, or the
// control database was put back.
// A file whose mark has an epoch is an application's that writes and relays by itself; it is looked at now and then, for the case that
// the application has died between, and its marks end when it has brought nothing new for a while: a mark for each transaction would
// be a commit more for each. A file in trouble comes more and more rarely, and holds up no other.
// Threads: one at a time.
class SweepPlan {
 public:
  static constexpr std::chrono::seconds kLookEvery{2};
  static constexpr std::chrono::seconds kQuietFor{30};  // then marks with an epoch end
  static constexpr std::chrono::seconds kBackOffMin{1}, kBackOffMax{60};

  // More marks, in the order of their numbers and from behind read_until().
  enum class Mark : std::uint8_t { at_start, later };
  void marked(std::span<const queue::OutboxMark> marks, Mark when, Instant now);
  [[nodiscard]] queue::OutboxMarkNumber read_until() const { return read_until_; }

  // The file that has been due longest; it stays so until looked(), drop() or leave().
  [[nodiscard]] std::optional<SweepLook> next(Instant now) const;
  // When the next one is due; nothing where there is none.
  [[nodiscard]] std::optional<Instant> next_at() const;
  // Returns whether there is trouble that nobody has been told of.
  [[nodiscard]] bool looked(const SweepLook& look, const SweepOutcome& outcome, Now now);
  // Somebody has: the same trouble is no news until it is over, or another one.
  void told(const queue::OutboxOwner& owner);
  // Its marks are gone.
  void drop(const queue::OutboxOwner& owner);
  // It is never due again, whatever marks come.
  void leave(const queue::OutboxOwner& owner);

  [[nodiscard]] std::vector<queue::OutboxMark> marks_of(const queue::OutboxOwner& owner) const;
  [[nodiscard]] std::size_t files() const { return files_.size(); }
  [[nodiscard]] std::size_t files_in_trouble() const;
  // Of all files, since when their rows may have been waiting: since the mark, or since the file was found empty. Looks at each file.
  [[nodiscard]] std::optional<WallTime> oldest_wait() const;

 private:
  using Key = std::pair<TenantName, Generation>;
  struct File {
    std::map<queue::OutboxMarkNumber, queue::OutboxMark> marks;
    Instant due;
    Instant quiet_since;
    std::optional<queue::OutboxSeq> watermark;  // at the last look
    WallTime waits_since{};
    bool is_left = false;
    int looks_in_trouble = 0;
    std::string trouble, told_trouble;
  };
  using Files = std::map<Key, File>;

  static Key key_of(const queue::OutboxOwner& owner) { return {owner.tenant, owner.generation}; }
  void add(const queue::OutboxMark& mark, Mark when, Instant now);
  void set_due(Files::iterator file, Instant due);
  void erase(Files::iterator file);
  [[nodiscard]] static bool note_trouble(File& file, const SweepOutcome& outcome);
  [[nodiscard]] static Instant due_after(const File& file, const SweepOutcome& outcome, Instant now);

  Files files_;
  std::set<std::pair<Instant, Key>> by_due_;
  queue::OutboxMarkNumber read_until_{0};
};

}  // namespace tenure::daemon
