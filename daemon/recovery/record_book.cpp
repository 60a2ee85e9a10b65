#include "recovery/record_book.hpp"

#include <utility>

#include "linux/file/random_name.hpp"
#include "recovery/stored_spec.hpp"

namespace vigil::daemon {
namespace {

/// Of a run that was found by its marks when there was no place in the table.
constexpr state::SlotId kNoSlot{~std::uint32_t{0}};

}  // namespace

RecordBook::Opened RecordBook::open(const Directories& directories, std::shared_ptr<spdlog::logger> log) {
    std::unique_ptr<RecordBook> book(new RecordBook(std::move(log)));
    Leftovers left{.found = {}, .specs = {}, .incomplete = true};
    const auto identity = state::Identity::current();
    if (!identity) {
        book->say_once(identity.error());
        return {std::move(book), std::move(left)};
    }
    auto table = state::Table::open(state_table_path(directories), *identity);
    auto specs = state::SpecStore::open(spec_store_path(directories));
    if (!table || !specs) {
        book->say_once(table ? specs.error() : table.error());
        if (table && table->found.empty() && table->dropped.empty()) table->table.remove_file();
        if (specs && specs->specs.empty()) specs->store.remove_file();
        return {std::move(book), std::move(left)};
    }
    for (const auto& aside : {table->set_aside, specs->set_aside})
        if (aside)
            book->log_->warn("{} could not be used: {}; a new one was made", aside->path, aside->reason);
    for (const state::Dropped& dropped : table->dropped)
        book->log_->error("a record of {} is of no use: {}{}", table->table.path(), dropped.reason,
                          dropped.record ? " (" + dropped.record->task.name + ")" : "");
    if (specs->damaged != 0)
        book->log_->error("{} lines of {} are damaged", specs->damaged, specs->store.path());
    left.incomplete = table->set_aside.has_value();
    for (const state::Dropped& dropped : table->dropped) left.incomplete = left.incomplete || !dropped.record;
    left.found = std::move(table->found);
    for (state::StoredSpec& spec : specs->specs) left.specs.emplace(spec.id, std::move(spec));
    book->holds_nothing_ = left.found.empty() && !left.incomplete;
    book->table_.emplace(std::move(table->table));
    book->specs_.emplace(std::move(specs->store));
    return {std::move(book), std::move(left)};
}

RecordBook::Entry* RecordBook::entry_of(core::TaskId task) {
    const auto known = entries_.find(task);
    if (known != entries_.end()) return &known->second;
    if (!table_) return nullptr;
    const auto slot = table_->allocate();
    if (!slot) {
        say_once(slot.error());
        return nullptr;
    }
    return &entries_.emplace(task, Entry{.slot = *slot, .spec = {}, .run = {}}).first->second;
}

void RecordBook::write(core::TaskId task, const core::TaskRecord& record, const core::SpecPtr& spec) {
    Entry* entry = entry_of(task);
    if (entry == nullptr) return;
    if (entry->slot == kNoSlot) {
        // Of this run the table would not know the process; without a record the next daemon finds it by its
        // marks.
        if (record.generation == entry->generation) return;
        const auto slot = table_->allocate();
        if (!slot) return say_once(slot.error());
        entry->slot = *slot;
    }
    store_spec(spec, *entry);
    if (record.generation != entry->generation) {
        entry->generation = record.generation;
        entry->run = {};
        if (auto drawn = os::draw_random(entry->run.invocation); !drawn) say_once(drawn.error());
    }
    table_->write(entry->slot, {.task = record, .run = entry->run, .spec = entry->spec_id});
}

void RecordBook::store_spec(const core::SpecPtr& spec, Entry& entry) {
    if (spec == entry.spec) return;
    const auto id = specs_->append(spec->name, origin_of_(spec->name), stored_text(*spec));
    if (!id) return say_once(id.error());
    entry.spec = spec;
    entry.spec_id = *id;
}

void RecordBook::erase(core::TaskId task) {
    const auto entry = entries_.find(task);
    if (entry == entries_.end()) return;
    if (entry->second.slot != kNoSlot) table_->release(entry->second.slot);
    entries_.erase(entry);
}

state::Found RecordBook::enter(state::Record record, pid_t pid) {
    state::Found found{.slot = kNoSlot, .record = std::move(record), .pid = pid};
    if (!table_) return found;
    const auto slot = table_->allocate();
    if (!slot) {
        say_once(slot.error());
        return found;
    }
    found.slot = *slot;
    table_->set_pid(*slot, found.record.task.generation, pid);
    table_->write(*slot, found.record);
    return found;
}

void RecordBook::adopt(core::TaskId task, const state::Found& found, core::SpecPtr spec) {
    if (!table_) return;
    entries_.insert_or_assign(task, Entry{.slot = found.slot,
                                          .generation = found.record.task.generation,
                                          .spec = std::move(spec),
                                          .spec_id = found.record.spec,
                                          .run = found.record.run});
}

void RecordBook::drop(const state::Found& found) {
    if (table_ && found.slot != kNoSlot) table_->release(found.slot);
}

void RecordBook::settle() {
    if (!specs_) return;
    std::vector<std::uint64_t> live;
    for (const auto& [task, entry] : entries_) live.push_back(entry.spec_id);
    if (const auto done = specs_->compact(live); !done) log_->warn("{}", done.error().text());
}

std::optional<os::Invocation> RecordBook::invocation(core::TaskId task) const {
    const auto entry = entries_.find(task);
    if (entry == entries_.end()) return std::nullopt;
    return entry->second.run.invocation;
}

pid_t* RecordBook::pid_word(core::TaskId task) {
    const auto entry = entries_.find(task);
    const bool placed = entry != entries_.end() && entry->second.slot != kNoSlot;
    return placed ? table_->pid_word(entry->second.slot) : nullptr;
}

void RecordBook::identify(core::TaskId task, Marks marks) {
    const auto entry = entries_.find(task);
    if (entry == entries_.end()) return;
    state::RunIdentity& run = entry->second.run;
    run.pidfd_inode = marks.inode;
    run.start_time = marks.start_time;
    run.uid = marks.uid;
    run.cgroup = marks.cgroup;
    run.notify_path = std::move(marks.notify_path);
}

RecordBook::~RecordBook() {
    if (holds_nothing_ && entries_.empty()) close();
}

void RecordBook::close() {
    if (table_) table_->remove_file();
    if (specs_) specs_->remove_file();
}

void RecordBook::leave(const std::vector<std::pair<core::TaskId, core::TaskRecord>>& runs) {
    std::unordered_map<core::TaskId, Entry> left;
    for (const auto& [task, record] : runs) {
        auto entry = entries_.extract(task);
        if (!entry || entry.mapped().slot == kNoSlot) continue;
        // Its socket goes with us.
        entry.mapped().run.notify_path.clear();
        table_->write(entry.mapped().slot,
                      {.task = record, .run = entry.mapped().run, .spec = entry.mapped().spec_id});
        left.insert(std::move(entry));
    }
    for (const auto& [task, entry] : entries_)
        if (entry.slot != kNoSlot) table_->release(entry.slot);
    entries_ = std::move(left);
    settle();
}

void RecordBook::say_once(const Error& error) {
    if (!std::exchange(said_, true))
        log_->error("tasks that start from now on are lost if vigild is killed: {}", error.text());
}

}  // namespace vigil::daemon
