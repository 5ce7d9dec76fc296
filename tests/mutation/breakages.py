"""Deliberate breakages of rules that Tenure lives by, each with the test that must fail by it: of the protocol of outboxes and receipts
(docs/formats/tenant-database.md), of the queue and its dispatcher, and of tenants.

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

OUTBOX_BREAKAGES = (
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
    Breakage("acknowledged-unsynced", "A6 sync first: a worker process deletes rows when the commit that took them over is on disk",
             "daemon/include/tenure/daemon/rounds/outbox_sync.hpp", "kDurability = queue::Durability::durable", "kDurability = queue::Durability::ordered",
             "dispatcher_test", "TellsOutbox.ManyCommitsShareOneSyncBehindWhichAllOfThemAreAcknowledged"),
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

CLAIM = "queue/src/sqlite/sqlite_claim.cpp"
ENDINGS = "queue/src/sqlite/sqlite_endings.cpp"
PLAN = "daemon/src/dispatcher/claim_plan.cpp"

QUEUE_BREAKAGES = (
    Breakage("due-order", "in a tenant jobs start in the order of their due times",
             CLAIM, "return a.place < b.place;", "return a.place.seq < b.place.seq;",
             "conformance_test", "StoreSuite.CLM_07_ARetryTakesThePlaceOfItsNewDueTime"),
    Breakage("claim-token-not-compared", "who has lost its claim changes nothing",
             ENDINGS, "where seq = ?1 and incarnation = ?2 and counter = ?3)sql\"};",
             "where seq = ?1 and ?2 is not null and ?3 is not null)sql\"};",
             "conformance_test", "StoreSuite.LSE_02_AnOldClaimTokenChangesNothing"),
    Breakage("gate-not-reopened", "a tenant that was left alone is tried again",
             "daemon/src/dispatcher/lanes.cpp", "  for (const TenantNumber tenant : busy_.take_due(now)) refresh_tenant(tenant);\n",
             "  static_cast<void>(busy_.take_due(now));\n",
             "dispatcher_test", "Retry.RTY_04_ABusyTenantCostsNoAttemptAndDoesNotSpin"),
    Breakage("key-not-passed-on", "the end that frees a concurrency key makes the next of its line ready",
             "queue/src/sqlite/sqlite_keys.cpp", "  if (key.empty() || !key_rows_.has_line(key)) return;\n",
             "  if (key.empty() || key_rows_.has_line(key)) return;\n",
             "conformance_test", "KeysSuite.LIM_03_ASlotOfAKeyIsFreeAtOnceAfterEachEndAndNeverWhileItsClaimStands"),
    Breakage("key-of-all-tenants", "a key is its tenant's",
             "queue/src/job_key_rules.cpp", ": std::to_string(tenant.value) + '/';", ": std::to_string(tenant.value * 0) + '/';",
             "conformance_test", "KeysSuite.LIM_06_KeysAreOfTheirTenantUnlessTheyAreGlobal"),
    Breakage("start-not-charged", "a start is charged to its tenant",
             PLAN, "  ring.charge(standing.tenant, us);\n", "  static_cast<void>(us);\n",
             "dispatcher_test", "Claim.CLM_04_OnOneSlotTheOtherTenantsJobIsTheFirstOrSecondStartAfterItsEnqueue"),
    Breakage("credit-for-idling", "who was away has no credit for it",
             "daemon/src/dispatcher/ring.cpp", "std::max<std::int64_t>(0, start_in(entry.key) - flow.virtual_us);",
             "std::max<std::int64_t>(0, 0 * start_in(entry.key));",
             "dispatcher_test", "Ring.CLM_22_WhoComesBackHasNoCreditForIdling"),
    Breakage("last-slot-to-anybody", "long jobs of one tenant leave the last free slot",
             PLAN, "slots.all >= kLongJobSlotsMin && (slots.free == 1 || room == 1)", "slots.all >= kLongJobSlotsMin && (slots.free == 0 || room == 0)",
             "dispatcher_test", "Claim.CLM_23_LongJobsNeverTakeTheLastFreeSlotWhileTheirTenantRuns"),
    Breakage("newcomer-waits", "what was assigned ahead is called back for a tenant that comes before it",
             "daemon/src/dispatcher/recall.cpp", "    if (newcomers.empty() || state.stopping.is_asked()) continue;\n",
             "    if (!newcomers.empty() || state.stopping.is_asked()) continue;\n",
             "dispatcher_test", "Claim.CLM_25_JobsAheadAreCalledBackForATenantWithLessVirtualTime"),
    Breakage("assigned-far-ahead", "at most two milliseconds of work wait behind a slot",
             "daemon/src/dispatcher/processes.cpp", "  const std::int64_t us_left = us_max - jobs.ahead_us() - planned_us;\n",
             "  const std::int64_t us_left = us_max;\n",
             "dispatcher_test", "Claim.CLM_13_ClaimsNeverExceedFreeSlotsPlusTwoMillisecondsAhead"),
    Breakage("early-promotion", "a job that is due later does not start before",
             "queue/src/sqlite/sqlite_moves.cpp", "  where due_us <= ?1 and priority between", "  where due_us <= ?1 + 1 and priority between",
             "conformance_test", "StoreSuite.SCH_01_ADelayedJobIsNeverReadyEarly"),
    Breakage("incarnation-by-the-clock", "each incarnation is greater than the last one, whatever the clock says",
             "queue/src/sqlite/sqlite_moves.cpp", "std::max(newest_incarnation().value + 1, seconds_since_2020)",
             "std::max(newest_incarnation().value * 0 + 1, seconds_since_2020)",
             "conformance_test", "StoreSuite.CLM_19_EachIncarnationIsGreaterThanTheLastAndThanTheClock"),
    Breakage("crash-budget-shared", "crashes, releases and failures are counted apart",
             ENDINGS, "update job set releases = min(max(releases, 0), 2147483646) + 1", "update job set crashes = min(max(releases, 0), 2147483646) + 1",
             "conformance_test", "StoreSuite.RTY_08_CrashesReleasesAndFailuresAreCountedApart"),
)

SCOPE = "tenancy/src/scope.cpp"
HANDLE = "tenancy/src/handle.cpp"
STAMP = "tenancy/src/stamp.cpp"
POOL = "tenancy/src/connection_pool.cpp"

TENANT_BREAKAGES = (
    Breakage("another-tenant-inside", "no scope of another tenant inside a tenant's",
             SCOPE, "    if (*outer->tenant != tenant)\n", "    if (outer->tenant->text().empty())\n",
             "tenancy_test", "Scope.CTX_02_AnotherTenantInsideIsProhibitedAndItsBodyDoesNotRun"),
    Breakage("handle-anywhere", "a handle is used in its own tenant's scope",
             SCOPE, "  if (*frame->tenant != tenant)\n    raise(\n", "  if (frame->tenant->text().empty())\n    raise(\n",
             "tenancy_test", "HandleTest.HND_01_AChildUsedInAnotherTenantsScopeIsWrongTenant"),
    Breakage("record-of-another", "a record of another tenant is no parameter",
             "tenancy/src/transaction_state.cpp", "    if (value.owner() != nullptr && *value.owner() != tenant)\n",
             "    if (value.owner() != nullptr && value.owner()->text() == tenant.text() + '!')\n",
             "tenancy_test", "RefTest.HND_01_ARecordOfAnotherTenantCannotBeBound"),
    Breakage("stamp-not-looked-at", "each write transaction compares the stamp",
             HANDLE, ": check_writable(*state.stamp, lease.expectation()));", ": Result<void>{});",
             "tenancy_test", "HandleTest.HND_11_EveryWriteTransactionReadsTheStamp"),
    Breakage("generation-not-compared", "a file of another generation is stale",
             STAMP, "  if (expected.generation.value != 0 && stamp.generation != expected.generation)\n",
             "  if (expected.generation.value != 0 && stamp.generation.value == 0)\n",
             "tenancy_test", "Tenants.REG_24_AFileOfAnotherGenerationThanTheRegistrysIsStale"),
    Breakage("file-of-another", "a file under another tenant's name is not opened",
             STAMP, "  if (stamp.tenant != expected.tenant)\n", "  if (stamp.tenant.text().empty())\n",
             "tenancy_test", "Stamp.REG_13_AFileUnderAnotherTenantsNameIsWrongTenantAndStaysAsItIs"),
    Breakage("links-followed", "a link is no tenant's database",
             POOL, "    files_.refuse_links(tenant);\n    opened = std::make_unique", "    opened = std::make_unique",
             "tenancy_test", "HandleCache.NAME_07_ALinkIsNotOpened",
             also=("base/src/sqlite/connection.cpp", "kAlways = SQLITE_OPEN_NOFOLLOW | ", "kAlways = ")),  # refuses it, too
    Breakage("unlinked-leased", "a connection to a file that is gone is not given out",
             POOL, "opened != nullptr && !opened->connection.still_on_disk()", "opened != nullptr && false",
             "tenancy_test", "HandleCache.HND_03_AnIdleConnectionToAFileThatIsGoneIsNotLeased"),
    Breakage("foreign-id-located", "an id of another tenant is refused before the look",
             "tenancy/src/ref.cpp", "    if (*id->tenant() != reader.tenant())\n", "    if (id->tenant()->text().empty())\n",
             "tenancy_test", "RefTest.GID_01_AnotherTenantsIdIsWrongTenantBeforeTheLookup",
             also=("tenancy/src/ref.cpp", "    require_current(*id->tenant(), Generation{}, \"the id \" + id->text());\n", "")),
    Breakage("foreign-id-in-arguments", "no job is stored with an id of another tenant in its arguments",
             "queue/src/arguments.cpp", "  if (*id->tenant() != *tenant_)\n", "  if (id->tenant()->text().empty())\n",
             "perform_test", "Perform.GID_03_AForgedIdOfAnotherTenantIsRefusedBeforeTheHandler"),
    Breakage("scope-left-behind", "no job starts with what another one left",
             SCOPE, "  for (const auto& frame : frames) frame->left.store(true, std::memory_order_release);\n  frames.clear();\n", "",
             "perform_test", "Perform.CTX_03_NoJobStartsWithWhatAnotherOneLeft"),
)

BREAKAGES = OUTBOX_BREAKAGES + QUEUE_BREAKAGES + TENANT_BREAKAGES
