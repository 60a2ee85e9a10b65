#include "simulation/book.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "base/check.hpp"

namespace vigil::core::simulation {
namespace {

[[noreturn]] void give_up(const std::string& what) {
    std::fprintf(stderr, "the simulation needs a state table: %s\n", what.c_str());
    std::exit(2);
}

const vigil::state::Identity& identity() {
    static const vigil::state::Identity of_this_process = [] {
        auto found = vigil::state::Identity::current();
        if (!found) give_up(found.error().text());
        return *found;
    }();
    return of_this_process;
}

std::string make_directory() {
    const char* elsewhere = std::getenv("TMPDIR");
    for (const std::string place : {"/dev/shm", elsewhere != nullptr ? elsewhere : "/tmp"}) {
        std::string name = place + "/vigil-simulation-XXXXXX";
        if (::mkdtemp(name.data()) != nullptr) return name;
    }
    give_up("no directory for it can be made");
}

}  // namespace

TableFile::TableFile() : directory_(make_directory()), path_(directory_ + "/state") {}

TableFile::~TableFile() {
    for (const char* suffix : {"", ".new", ".bad"}) (void)::unlink((path_ + suffix).c_str());
    (void)::rmdir(directory_.c_str());
}

Book::Book(const TableFile& file) : file_(file) {
    for (const vigil::state::Found& found : open()) table_->release(found.slot);
    // Once more, so that free places are given in the same order whatever was in the table before.
    (void)open();
    fault_.clear();
}

std::vector<vigil::state::Found> Book::open() {
    table_.reset();
    auto opened = vigil::state::Table::open(file_.path(), identity());
    if (!opened) give_up(opened.error().text());
    if (opened->set_aside) fault_ = opened->set_aside->reason;
    // Two of one name there are where a task was removed and added again, and the daemon was killed between
    // the two records. Which of them counts is the table's to decide.
    doubles_ = 0;
    for (const vigil::state::Dropped& dropped : opened->dropped) {
        if (!dropped.record) fault_ = dropped.reason;
        if (dropped.record) ++doubles_;
    }
    table_.emplace(std::move(opened->table));
    return std::move(opened->found);
}

std::uint64_t Book::id_of(const SpecPtr& spec) {
    // The one that was stored last is the one that is asked for, nearly always.
    const auto found = std::find(specs_.rbegin(), specs_.rend(), spec);
    if (found != specs_.rend()) return static_cast<std::uint64_t>(specs_.rend() - found);
    specs_.push_back(spec);
    return specs_.size();
}

void Book::write(TaskId task, const TaskRecord& record, const SpecPtr& spec) {
    auto known = places_.find(task);
    if (known == places_.end()) {
        const auto slot = table_->allocate();
        if (!slot) give_up(slot.error().text());
        known = places_.emplace(task, Place{.slot = *slot, .spec = 0, .given = {}}).first;
    }
    Place& place = known->second;
    if (place.spec == 0 || specs_[place.spec - 1] != spec) place.spec = id_of(spec);
    place.given = record;
    vigil::state::Record whole{.task = record, .run = {}, .spec = place.spec};
    whole.run.uid = 1000;
    whole.run.invocation.fill(static_cast<std::uint8_t>(static_cast<std::uint64_t>(record.generation) % 251));
    whole.run.notify_path = "/run/vigil/notify/0123456789abcdef0123456789abcdef";
    table_->write(place.slot, whole);
}

void Book::erase(TaskId task) {
    const auto place = places_.find(task);
    if (place == places_.end()) return;
    table_->release(place->second.slot);
    places_.erase(place);
}

pid_t* Book::pid_word(TaskId task) {
    const auto place = places_.find(task);
    return place == places_.end() ? nullptr : table_->pid_word(place->second.slot);
}

std::vector<Book::Entry> Book::reopen() {
    const auto before = std::exchange(places_, {});
    std::vector<Entry> entries;
    for (vigil::state::Found& found : open()) {
        Entry entry{.before = {},
                    .record = std::move(found.record.task),
                    .spec = nullptr,
                    .pid = found.pid,
                    .slot = found.slot,
                    .given = {}};
        for (const auto& [task, place] : before) {
            if (place.slot != found.slot) continue;
            entry.before = task;
            entry.given = place.given;
        }
        if (found.record.spec != 0 && found.record.spec <= specs_.size())
            entry.spec = specs_[found.record.spec - 1];
        entries.push_back(std::move(entry));
    }
    if (entries.size() + doubles_ != before.size() && fault_.empty()) fault_ = "a record was lost";
    for (const Entry& entry : entries)
        if (entry.spec == nullptr && fault_.empty()) fault_ = "a record names no spec that there is";
    return entries;
}

void Book::adopt(TaskId task, const Entry& entry) {
    places_.insert_or_assign(task,
                             Place{.slot = entry.slot, .spec = id_of(entry.spec), .given = entry.given});
}

const TaskRecord* Book::given(TaskId task) const {
    const auto place = places_.find(task);
    return place == places_.end() ? nullptr : &place->second.given;
}

}  // namespace vigil::core::simulation
