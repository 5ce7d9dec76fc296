#pragma once

#include <tenure/queue/types.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <unordered_map>

// A set of sequences that lie close to each other, a bit each: a million take some 128 KiB. Internal.
namespace tenure::queue {

class SeqSet {
 public:
  void insert(JobSeq seq) { words(seq.value >> kChunkBits)[word(seq)] |= bit(seq); }
  void erase(JobSeq seq) {
    if (const auto found = chunks_.find(seq.value >> kChunkBits); found != chunks_.end())
      found->second[word(seq)] &= ~bit(seq);
  }
  [[nodiscard]] bool contains(JobSeq seq) const {
    const auto found = chunks_.find(seq.value >> kChunkBits);
    return found != chunks_.end() && (found->second[word(seq)] & bit(seq)) != 0;
  }
  void clear() {
    chunks_.clear();
    last_ = nullptr;
  }

 private:
  static constexpr int kChunkBits = 16;  // 8 KiB a chunk
  using Words = std::array<std::uint64_t, (std::size_t{1} << kChunkBits) / 64>;

  static std::size_t word(JobSeq seq) {
    return (static_cast<std::size_t>(seq.value) & ((std::size_t{1} << kChunkBits) - 1)) / 64;
  }
  static std::uint64_t bit(JobSeq seq) {
    return std::uint64_t{1} << (static_cast<std::uint64_t>(seq.value) % 64);
  }
  // Insertions come in runs.
  Words& words(std::int64_t chunk) {
    if (last_ == nullptr || last_chunk_ != chunk) {
      last_ = &chunks_[chunk];
      last_chunk_ = chunk;
    }
    return *last_;
  }

  std::unordered_map<std::int64_t, Words> chunks_;  // its elements stay where they are
  Words* last_ = nullptr;
  std::int64_t last_chunk_ = 0;
};

}  // namespace tenure::queue
