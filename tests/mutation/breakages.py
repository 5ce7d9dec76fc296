"""Deliberate breakages of the protocol of outboxes and receipts (docs/formats/tenant-database.md), each with the test that must fail by it.

A breakage is a text of a source in place of another, which must stand there once. Where a rule is written anew, its breakage is, too.
"""
from dataclasses import dataclass


@dataclass(frozen=True)
class Breakage:
    name: str     # for --only
    rule: str     # what is left out
    file: str
    old: str
    new: str
    program: str  # the test program
    test: str     # in it
    also: tuple = ()  # a second text: file, old, new

    @property
    def edits(self):
        return ((self.file, self.old, self.new), *((self.also,) if self.also else ()))


RELAY = "queue/src/outbox_file.cpp"
RECEIPTS = "jobs/src/receipts.cpp"
POWER_CUTS = "OutboxPowerCuts.OBX_14_WhatIsVisibleIsNotTakenForDurable"

BREAKAGES = (
    Breakage("rows-not-synced", "A5 sync first: rows are on disk before their jobs are",
             RELAY, "    handle_.sync();\n    const Relayed relayed", "    const Relayed relayed",
             "outbox_crash_test", POWER_CUTS),
    Breakage("jobs-not-synced", "A6 sync first: jobs and watermark are on disk before rows are deleted",
             RELAY, "    store_.write(Durability::durable, [&](StoreWriter& writer) {\n      relayed =",
             "    store_.write(Durability::ordered, [&](StoreWriter& writer) {\n      relayed =",
             "outbox_crash_test", POWER_CUTS),
    Breakage("mark-not-synced", "A1 sync first: a mark is on disk before the rows that it stands for",
             "jobs/src/client.cpp", "  store.write(Durability::durable,\n              [&](queue::StoreWriter& writer) { result = writer.mark_outbox",
             "  store.write(Durability::ordered,\n              [&](queue::StoreWriter& writer) { result = writer.mark_outbox",
             "outbox_crash_test", POWER_CUTS),
    Breakage("mark-behind-rows", "A1 before A3: the mark is there before the first row",
             "jobs/src/client.cpp", "  if (outbox.last_row() == 0) return;\n",
             "  if (outbox.last_row() == 0) return;\n  {\n    const TenantTransaction behind = handle.begin();\n    impl_->mark(behind);\n  }\n",
             "perform_test", "TransactionTrouble.AMarkIsSetBeforeTheFirstRowAndSeenByOthersWhileTheTransactionIsOpen",
             also=("jobs/src/outbox_writer.cpp",
                   "  if (rows_of_transaction_ == 0 && means_.before_first) means_.before_first(transaction);\n", "")),
    Breakage("epoch-not-compared", "A2: a mark of a former epoch stands for nothing",
             "jobs/src/marked_files.cpp", "found->second.epoch == file.epoch && ", "",
             "perform_test", "TransactionTrouble.AProcessMarksOnceForEachEpoch"),
    Breakage("watermark-early", "A5: the watermark is raised with the job, and not before it is taken",
             "queue/src/outbox_relay.cpp", "    auto job = take_row(", "    relayed.watermark = row.seq;\n    auto job = take_row(",
             "outbox_test", "OutboxRelay.ARowThatIsRefusedStaysWithThoseBehindIt"),
    Breakage("watermark-not-read-again", "A5: rows up to the watermark were taken over, whoever has read them when",
             "queue/src/outbox_relay.cpp", "    if (row.seq <= relayed.watermark) continue;\n", "",
             "outbox_test", "OutboxRelay.OBX_11_WhoStoodStillUntilTheJobsWerePerformedAndRemovedBringsNothing"),
    Breakage("deleted-unacknowledged", "A6 behind A5: rows are deleted when their jobs are there",
             RELAY, "    const Relayed relayed = take_over(front.rows);\n",
             "    static_cast<void>(clear(front.rows.rows.back().seq));\n    const Relayed relayed = take_over(front.rows);\n",
             "outbox_test", "OutboxRelay.EndedBeforeAnyStepTheNextOneGoesOnAndNothingIsThereTwice"),
    Breakage("epoch-up-over-rows", "A7: the epoch goes up where there are no rows",
             "tenancy/src/outbox.cpp", "  if (tables.statement(kHasEntry).step()) return false;\n", "",
             "outbox_test", "OutboxEntries.TheEpochGoesUpOnlyWhereThereAreNone"),
    Breakage("unmarked-unseen", "A8 behind A7: a mark goes when its file was looked at and is empty",
             RELAY, "done.is_empty && !marks.empty() && (!is_of_epoch || raise_epoch(done));",
             "!marks.empty() && (!is_of_epoch || true);",
             "outbox_test", "OutboxRelay.ASweepLeavesMarksThatWereSetMeanwhileAndThoseOfAFileWithRows"),
    Breakage("token-not-compared", "`once`: a run meets the receipts of a later one of its job and is too late",
             RECEIPTS, "token.counter).step())\n      raise(ErrorCode::claim_lost",
             "token.counter).step() && step.empty())\n      raise(ErrorCode::claim_lost",
             "perform_test", "Once.RUN_02_AStaleRunMeetsItsSuccessorsReceipt"),
    Breakage("forgotten-above-the-horizon", "receipts stay while their job may run",
             RECEIPTS, "and (job_id, step) < (?3, ?4) and written_us < ?5", "and ?3 is not null and ?4 is not null and written_us < ?5",
             "perform_test", "Receipts.RUN_12_TheyGoWhenTheirJobRunsNoMoreAndTheyAreSevenDaysOld"),
    Breakage("forgotten-young", "receipts stay for 7 days",
             RECEIPTS, "and (job_id, step) < (?3, ?4) and written_us < ?5", "and (job_id, step) < (?3, ?4) and ?5 is not null",
             "perform_test", "Receipts.RUN_12_TheyGoWhenTheirJobRunsNoMoreAndTheyAreSevenDaysOld"),
)
