#pragma once

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/queue/store.hpp>

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

// What a list walks through. Internal.
namespace tenure::queue {

// Sequences in the order of a list, one by one.
class OrderedSeqs {
 public:
  virtual ~OrderedSeqs() = default;
  virtual std::optional<JobSeq> next() = 0;
};

// Bounds how many rows are looked at before all lanes are read. Reading ten million rows of `ready` takes seconds, and these some 60 ms.
inline constexpr int kFirstLooks = 20'000;

// Sorted no further than it is read.
class SortedSeqs final : public OrderedSeqs {
 public:
  SortedSeqs(std::vector<JobSeq> seqs, ListOrder order) : seqs_(std::move(seqs)), order_(order) {
    std::ranges::make_heap(seqs_, comes_later());
  }
  std::optional<JobSeq> next() override {
    if (seqs_.empty()) return std::nullopt;
    std::ranges::pop_heap(seqs_, comes_later());
    const JobSeq seq = seqs_.back();
    seqs_.pop_back();
    return seq;
  }

 private:
  [[nodiscard]] std::function<bool(JobSeq, JobSeq)> comes_later() const {
    if (order_ == ListOrder::oldest_first) return std::greater<>{};
    return std::less<>{};
  }
  std::vector<JobSeq> seqs_;
  ListOrder order_;
};

// The table itself, row by row, as far as it is read.
class Walk final : public OrderedSeqs {
 public:
  using Part = std::optional<sqlite::Statement>;
  // `next_part` gives the rows of one part of it after the other, in the order of the list.
  Walk(std::function<Part()> next_part, std::function<bool(const sqlite::Statement&)> takes)
      : next_part_(std::move(next_part)), takes_(std::move(takes)), rows_(next_part_()) {}

  std::optional<JobSeq> next() override {
    while (rows_) {
      while (rows_->step())
        if (takes_(*rows_)) return JobSeq{rows_->integer(0)};
      rows_.reset();  // before the next: they share one statement
      if (auto part = next_part_()) rows_.emplace(std::move(*part));
    }
    return std::nullopt;
  }

 private:
  std::function<Part()> next_part_;
  std::function<bool(const sqlite::Statement&)> takes_;
  Part rows_;
};

// The first rows of a walk, and no more.
class FirstRows final : public OrderedSeqs {
 public:
  struct Looked {
    int left = kFirstLooks;
    std::optional<JobSeq> last;
    std::optional<JobSeq> edge =
        std::nullopt;           // up to which there are rows to be looked at; nothing: there is no edge
    bool has_more = false;      // whoever asked has left before they were used up
    bool has_seen_all = false;  // there is no row behind them
  };
  FirstRows(sqlite::Statement rows, std::function<bool(const sqlite::Statement&)> takes, Looked& looked)
      : rows_(std::move(rows)), takes_(std::move(takes)), looked_(looked) {
    looked_.has_more = true;
  }

  std::optional<JobSeq> next() override {
    while (looked_.left > 0) {
      if (!rows_.step()) {
        looked_.has_seen_all = !looked_.edge;
        if (looked_.edge) looked_.last = looked_.edge;
        looked_.left = 0;  // a statement that is stepped again begins anew
        break;
      }
      --looked_.left;
      looked_.last = JobSeq{rows_.integer(0)};
      if (takes_(rows_)) return looked_.last;
    }
    looked_.has_more = false;
    return std::nullopt;
  }

 private:
  sqlite::Statement rows_;
  std::function<bool(const sqlite::Statement&)> takes_;
  Looked& looked_;
};

}  // namespace tenure::queue
