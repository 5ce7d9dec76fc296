#pragma once

#include <tenure/base/error.hpp>
#include <tenure/base/secret_key.hpp>
#include <tenure/queue/types.hpp>

#include <cstddef>
#include <optional>

// The seal of envelopes (docs/formats/envelope.md): a hash by a key that whoever can only write the control database does not have.
// Threads: values.
namespace tenure::queue {

class JobReader;
class Store;
struct Envelope;

using Seal = KeyedHash;

// Which keys are in force in a control database, by their marks. None: jobs need no seal.
struct SealMarks {
  std::optional<KeyedHash> current;
  std::optional<KeyedHash> previous;  // whose seals are accepted
  friend bool operator==(const SealMarks&, const SealMarks&) = default;
};

// Of the envelope without its seal, by the current key, which there is.
[[nodiscard]] Seal seal_of(const Envelope& envelope, const KeyRing& keys);
// BadSeal where there is a current key, and the envelope has no seal, or one that neither key has made.
[[nodiscard]] Result<void> check_seal(const Envelope& envelope, const KeyRing& keys);

// Whether jobs may be brought in by these keys: BadConfiguration where others are in force, or any and there are none here.
[[nodiscard]] Result<void> check_keys(const SealMarks& in_force, const KeyRing& keys);

// What is in force once a dispatcher works with these keys. BadConfiguration: it cannot show that it has the key that was in force.
[[nodiscard]] Result<SealMarks> marks_to_be(const SealMarks& in_force, const KeyRing& keys);

// Some of the jobs that have not ended, the oldest first.
struct SealsLookedAt {
  std::optional<JobId> refused;  // the first that the keys would refuse; the look ends there
  std::optional<JobSeq> last;    // nothing: there are no more
};
// The next of them behind `after`, at most so many.
[[nodiscard]] SealsLookedAt look_at_seals(JobReader& reader, std::optional<JobSeq> after, std::size_t limit,
                                          const KeyRing& keys);

// Of a dispatcher, before it claims anything. Where the keys are others than before it looks at all jobs that have not ended, which takes
// as long as reading them; those that come meanwhile are looked at in the commit that writes the marks. BadConfiguration as above, and
// where one of them would be refused by the new keys; then nothing was changed.
void put_in_force(Store& store, const KeyRing& keys);

}  // namespace tenure::queue
