"""The one way from paths to findings; every face takes it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from mplint.apis import Alias, Api, Table, builtin_table
from mplint.config.selectors import Chosen, choose
from mplint.config.settings import Settings
from mplint.environment import site_packages
from mplint.finding import Alarm, Finding, Fix, Place, Safety, Site, baseline, suppress
from mplint.finding.result import DECODER, ENCODER, Answer, Crash, Looked, Result, crash_of
from mplint.finding.unreadable import unreadable, worth_parsing
from mplint.project import Limits, Project
from mplint.registry import Registry, registry
from mplint.source import Sources, UnreadableFile
from mplint.source.discover import matches

if TYPE_CHECKING:
    from mplint.cache.pieces import Pieces


class Session:
    """A project and the rules that run on it.  Nothing is read before `check` asks for it; later checks use what earlier ones read.

    `overlays` are contents that stand for files (absolute paths).  `noqa` False leaves `# noqa` comments to somebody else.  `codes` limits
    the rules further; `pieces` are what earlier runs read.  Raises ConfigError for selectors that mean nothing.
    """

    def __init__(
        self,
        settings: Settings,
        files: Sequence[str],
        *,
        overlays: Mapping[str, bytes] | None = None,
        packs: Registry | None = None,
        noqa: bool = True,
        codes: Callable[[str], bool] | None = None,
        pieces: Pieces | None = None,
    ) -> None:
        self.settings = settings
        self.packs = packs or registry()
        self.chosen: Chosen = choose(settings, self.packs.all)
        self.running = frozenset(code for code in self.chosen.codes if codes is None or codes(code))
        self.rules = tuple(rule for rule in self.packs.rules if rule.code in self.running)
        self.sources = Sources(settings.root, files, overlays)
        self._pieces = pieces
        self.project = self._project(self.sources, table_for(settings), limits_of(settings))
        self._noqa = noqa
        self._codes = codes
        self._tells_unreadable = (codes is None or codes("MP000")) and not any({"MP000", "unreadable-file"} & set(layer.ignore) for layer in settings.selection)

    def changed(self, overlays: Mapping[str, bytes]) -> Session:
        """The same session with other contents in place of some files."""
        files = (*self.sources.files, *self.sources.specs)
        other = Session(self.settings, files, packs=self.packs, noqa=self._noqa, codes=self._codes, pieces=self._pieces)
        other.sources = self.sources.changed(overlays)
        other.project = self._project(other.sources, self.project.table, self.project.limits)
        return other

    def _project(self, sources: Sources, table: Table, limits: Limits) -> Project:
        return Project(sources, table=table, target=self.settings.target_version, limits=limits, pieces=self._pieces, roots=self.settings.src)

    def check(self, paths: Sequence[str], *, fixes: bool = True, jobs: int = 1, progress: Callable[[int, int], None] | None = None) -> Result:
        """Findings in the files `paths` (absolute), with everything else in the project taken into account; with their fixes, when asked.

        `jobs` processes share the files, 0 means one a core.  `progress` is told how many of the files are done, and of how many.
        """
        alarms, crashes = self._spread(paths, jobs, progress)
        found = self._resolved(alarms, crashes)
        broken: list[Finding] = []
        if self._tells_unreadable:
            broken.extend(unreadable(self.project, paths, idle=self._idle(paths)))
        result = self._settled([*found, *broken], paths, crashes)
        return self._in_cells(self._repaired(result, found) if fixes else result)

    def _spread(self, paths: Sequence[str], jobs: int, progress: Callable[[int, int], None] | None) -> tuple[list[Alarm], list[Crash]]:
        """The alarms in all files, from several processes where that is worth it."""
        answers: list[Answer] = []
        if jobs != 1:
            from mplint import parallel

            looked = [path for path in paths if self._looks_into(path)]
            processes = parallel.processes_for(len(looked), jobs) if _can_travel(self.sources.files) else 1
            if processes > 1:
                encoded = parallel.spread(looked, self._told, processes=processes, progress=progress)
                for path in looked:
                    answer, seen = DECODER.decode(encoded[path])
                    answers.append(answer)
                    self.project.errors.update(answer.errors)
                    self._learn(seen)
                return [alarm for answer in answers for alarm in answer.alarms], [crash for answer in answers for crash in answer.crashes]
        for number, path in enumerate(paths):
            if progress is not None:
                progress(number, len(paths))
            answers.append(self._answer(path))
        return [alarm for answer in answers for alarm in answer.alarms], [crash for answer in answers for crash in answer.crashes]

    def _answer(self, path: str) -> Answer:
        crashes: list[Crash] = []
        alarms = tuple(self._alarms(path, crashes))
        return Answer(alarms, tuple(crashes), self.project.errors)

    def _told(self, path: str) -> bytes:
        """An answer as it travels to another process, with what was looked at for it."""
        sources = self.sources
        words, raw, sought = frozenset(sources.asked), frozenset(sources.raw), frozenset(sources.sought)
        before = {path: look.size for path, look in sources.looks.items()}
        sizes = {word: len(seen) for word, seen in sources.asked_of.items()}
        answer = self._answer(path)
        looked = Looked(
            {word: paths for word, paths in sources.asked.items() if word not in words},
            {word: seen for word, seen in sources.asked_of.items() if len(seen) != sizes.get(word)},
            frozenset(sources.raw).difference(raw),
            {path: look for path, look in sources.looks.items() if look.size != before.get(path)},
            frozenset(sources.sought).difference(sought),
        )
        return ENCODER.encode((answer, looked))

    def _learn(self, looked: Looked) -> None:
        self.sources.asked.update(looked.words)
        for word, seen in looked.words_of.items():
            self.sources.asked_of.setdefault(word, {}).update(seen)
        self.sources.raw.update(looked.raw)
        self.sources.sought.update(looked.sought)
        for path, look in looked.looks.items():
            self.sources.look(path).add(look)

    def _idle(self, paths: Sequence[str]) -> set[str]:
        return {path for path in paths if path not in self.project.errors and not self._looks_into(path)}

    def looked_into(self, paths: Sequence[str]) -> tuple[tuple[str, ...], bool]:
        """Which of `paths` hold anything that rules look at, and whether the others were parsed for syntax errors; after `check`."""
        idle = self._idle(paths)
        return tuple(path for path in paths if path not in idle), not self._tells_unreadable or worth_parsing(self.sources, idle)

    def _looks_into(self, path: str) -> bool:
        try:
            return bool(self.rules) and self.project.relevant(path)
        except Exception:  # reported where the file is checked
            return True

    def _alarms(self, path: str, crashes: list[Crash]) -> Iterator[Alarm]:
        if not self.rules:
            return
        try:
            if not self.project.relevant(path):
                return
            module = self.project.module(path)
        except Exception as error:  # the engine must not take the run down either
            crashes.append(crash_of("the engine", path, error))
            return
        if module is None or not module.outline.pages:  # cannot be parsed, which asking for the outline tells, or empty
            return
        for rule in self.rules:
            try:
                for alarm in rule.check(module, self.project):
                    if not isinstance(alarm, Alarm) or alarm.code != rule.code:
                        raise TypeError(f"`check` has to yield alarms of {rule.code}, not {alarm!r}")
                    yield alarm
            except Exception as error:  # a rule may be anybody's; the others go on
                crashes.append(crash_of(rule.code, path, error))

    def _resolved(self, alarms: Sequence[Alarm], crashes: list[Crash]) -> dict[Finding, Alarm]:
        """Alarms with positions; each page that holds a site is parsed once."""
        if not alarms:
            return {}
        from mplint.finding import spans

        wanted: dict[str, set[int]] = {}
        for alarm in alarms:
            for site in (alarm.site, *(step.site for step in alarm.because)):
                wanted.setdefault(site.path, set()).add(site.at)
        positions: dict[Site, spans.Position] = {}
        for path, ats in wanted.items():
            module = self.project.module(path)
            if module is None:
                continue
            try:
                found = spans.resolve(self.sources.read(path), module.outline, ats)
            except Exception as error:  # a site that cannot be placed loses its finding, not the run
                crashes.append(crash_of("the engine", path, error))
                continue
            positions.update({Site(path, at): position for at, position in found.items()})
        rules = {rule.code: rule for rule in self.rules}
        findings: dict[Finding, Alarm] = {}
        for alarm in alarms:
            at = positions.get(alarm.site)
            if at is None:
                continue
            steps = ((step, positions[step.site]) for step in alarm.because if step.site in positions)
            because = tuple(Place(step.site.path, p.span, p.row, p.column, step.message) for step, p in steps)
            findings[
                Finding(
                    alarm.code, rules[alarm.code].name, alarm.site.path, at.span, at.row, at.column, at.end_row, at.end_column, alarm.message,
                    because, None, at.noqa_row, alarm.scope,
                )
            ] = alarm  # fmt: skip
        return findings

    def _repaired(self, result: Result, found: Mapping[Finding, Alarm]) -> Result:
        """The result with a fix in each finding that its rule can repair, as safe as the configuration says."""
        if not any(finding in found for finding in result.findings):
            return result
        from mplint.fixes.offers import Refusal, fixes_for

        rules = {rule.code: rule for rule in self.rules}
        wanted: dict[str, list[Alarm]] = {}
        for finding in result.findings:
            if finding in found:
                wanted.setdefault(finding.path, []).append(found[finding])
        answers: dict[Alarm, Fix | Refusal] = {}
        for path, alarms in wanted.items():
            module = self.project.module(path)
            if module is not None:
                answers.update(fixes_for(self.sources.read(path), module.outline, alarms, rules))
        findings: list[Finding] = []
        withheld: list[tuple[Finding, str]] = []
        for finding in result.findings:
            answer = answers.get(found[finding]) if finding in found else None
            if isinstance(answer, Refusal):
                withheld.append((finding, answer.reason))
            elif answer is not None:
                finding = msgspec.structs.replace(finding, fix=msgspec.structs.replace(answer, safety=self._safety(finding.code, answer.safety)))
            findings.append(finding)
        return msgspec.structs.replace(result, findings=tuple(findings), withheld=tuple(withheld))

    def _safety(self, code: str, safety: Safety) -> Safety:
        if safety is Safety.SHOWN or code in self.chosen.unfixable:
            return Safety.SHOWN
        if code in self.chosen.unsafe:
            return Safety.UNSAFE
        return Safety.SAFE if code in self.chosen.safe else safety

    def _in_cells(self, result: Result) -> Result:
        """The result with rows that count in the cells of notebooks."""
        if not any(finding.path.endswith(".ipynb") for finding in result.findings):
            return result
        from mplint.source.notebook import in_cells

        return msgspec.structs.replace(result, findings=tuple(in_cells(finding, self.sources) for finding in result.findings))

    def _settled(self, findings: list[Finding], paths: Sequence[str], crashes: list[Crash]) -> Result:
        """Apply `per-file-ignores`, comments and the baseline."""
        by_path: dict[str, list[Finding]] = {}
        for finding in findings:
            by_path.setdefault(finding.path, []).append(finding)
        known = tuple((rule.code, rule.name) for rule in self.packs.all)
        kept: list[Finding] = []
        hidden: list[Finding] = []
        for path in paths:
            mine = by_path.get(path, [])
            ignored = self.ignored_in(path)
            mine = [finding for finding in mine if finding.code not in ignored]
            if not mine and ("MP001" not in self.running or not suppress.may_matter(self.sources.peek(path))):
                continue
            try:
                source = self.sources.read(path)
            except UnreadableFile:
                kept.extend(mine)
                continue
            spared = [finding for finding in mine if finding.code == "MP000"]
            judged = [finding for finding in mine if finding.code != "MP000"]
            verdict = suppress.judge(source, judged, running=self.running - ignored, known=known, noqa=self._noqa)
            kept.extend((*spared, *verdict.kept))
            hidden.extend(verdict.hidden)
            if not spared:
                kept.extend(verdict.useless)
        accepted: tuple[Finding, ...] = ()
        gone = 0
        if self._baseline is not None:
            split = baseline.split(self._baseline, kept, checked=paths, running=self.running)
            kept, accepted, gone = list(split.new), split.accepted, split.gone
        kept.sort(key=lambda f: (f.path, f.row, f.column, f.code, f.message))
        return Result(tuple(kept), tuple(hidden), accepted, (), tuple(crashes), tuple(paths), gone)

    @cached_property
    def _baseline(self) -> baseline.Baseline | None:
        return None if self.settings.baseline is None else baseline.read(self.settings.baseline)

    def ignored_in(self, path: str) -> frozenset[str]:
        """The codes that `per-file-ignores` takes out for a file."""
        lists = (codes for pattern, codes in self.chosen.ignored_in if matches(path, pattern, self.settings.root))
        return frozenset().union(*lists)


def table_for(settings: Settings) -> Table:
    """The API table with the project's own rows; they win over the ones that ship with mplint."""
    table = builtin_table()
    if not settings.api:
        return table
    kinds, apis, aliases = dict(table.kinds), dict(table.apis), dict(table.aliases)
    for row in settings.api:
        if isinstance(row, Alias):
            aliases[row.name] = row.same_as
        elif isinstance(row, Api):
            apis[row.name] = row
        else:
            kinds[row.name] = row
    return Table(kinds, apis, aliases)


def _can_travel(paths: Sequence[str]) -> bool:
    """Whether all names are text: those of other bytes cannot be encoded."""
    try:
        "".join(paths).encode()
    except UnicodeEncodeError:
        return False
    return True


def limits_of(settings: Settings) -> Limits:
    """The bounds that the settings choose."""
    return Limits(settings.timeout, settings.timeout_is_own, settings.memory_bound, site_packages(settings.python))
