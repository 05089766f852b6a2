"""The panel at the right: preset, axis, the parameters that matter, then all; the run below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QScrollArea,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from alsct_gui.model.recipe import Recipe
from alsct_gui.settings import Settings
from alsct_gui.ui.actions.book import ActionBook
from alsct_gui.ui.reconstruct.axistool import AxisTool
from alsct_gui.ui.reconstruct.editors import CalmCombo, ChoiceRow, FieldRow, row_for
from alsct_gui.ui.reconstruct.fields import (
    ENGINE,
    RINGS,
    SECTIONS,
    TIERS,
    FieldInfo,
    Tier,
    all_fields,
    further_rings_words,
    shown_fields,
)
from alsct_gui.ui.reconstruct.planbox import PlanBox, Submit
from alsct_gui.ui.reconstruct.presets import is_changed, preset_words, with_own_center
from alsct_gui.ui.reconstruct.preview import PreviewMaker
from alsct_gui.ui.reconstruct.previewplan import PreviewState
from alsct_gui.ui.reconstruct.recipebox import RecipeBox
from alsct_gui.ui.reconstruct.sweep import SweepPage
from alsct_gui.ui.reconstruct.values import assignment
from alsct_gui.ui.services import Services
from alsct_gui.ui.session import Session
from alsct_gui.ui.tasks import Tasks, answer_of
from alsct_gui.ui.theme.icons import icon
from alsct_gui.ui.widgets.parts import (
    GAP_PX,
    MARGIN_PX,
    Panel,
    Section,
    button,
    label,
    line,
    set_role,
)

if TYPE_CHECKING:
    from alsct_gui.recon.desk.answers import EngineRow, PresetRow

_TIPS = {
    "simple": "What most scans need",
    "more": "What is changed now and then",
    "all": "Every setting, and the recipe as text",
}


class ReconstructPanel(Panel):
    """Everything that turns the selected scan into slices.

    Parameters
    ----------
    session, tasks, services, book
        What every panel gets.
    over
        What the sweep lies over while it is open.
    submit
        Queues a run.
    """

    def __init__(
        self, session: Session, tasks: Tasks, services: Services, book: ActionBook,
        over: QWidget, submit: Submit,
    ) -> None:  # fmt: skip
        super().__init__("Reconstruct")
        self._session, self._tasks, self._services, self._book = session, tasks, services, book
        self._presets: tuple[PresetRow, ...] = ()
        self._engines: tuple[EngineRow, ...] = ()
        self._offered = ""
        self._tier: Tier = session.settings.tier
        common = (session, tasks, services, book)
        self.maker = PreviewMaker(*common)
        self.axis = AxisTool(*common, self.maker)
        self.plan = PlanBox(*common, submit)
        self.text = RecipeBox(*common, lambda: self.plan.output)
        self.sweep = SweepPage(*common, over, lambda: self.axis.center_px)
        self._make_parts()
        book.bind("edit.undo", session.undo)
        book.bind("edit.redo", session.redo)
        book.bind("recon.reset_preset", self.reset_preset)
        session.recipe_changed.connect(self._show)
        session.settings_changed.connect(self._settings_changed)
        book["recon.sweep"].enabledChanged.connect(lambda _: self._allow())
        self.maker.state_changed.connect(self._say)
        self._started = False
        self._show(session.recipe)
        self._say(self.maker.state)
        self._allow()
        self.renew_icons()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if not self._started:
            self._started = True
            self._tasks.start(self._learn(), "Listing presets and engines")

    # -- building ----------------------------------------------------------------------

    def _make_parts(self) -> None:
        for key in ("edit.undo", "edit.redo"):
            self.header.addWidget(self._book.button(key))
        self.column.setContentsMargins(0, 8, 0, 0)
        self.column.setSpacing(4)
        self.header.setContentsMargins(MARGIN_PX, 0, 8, 0)
        inside = QWidget()
        self._inside = QVBoxLayout(inside)
        self._inside.setContentsMargins(MARGIN_PX, 0, MARGIN_PX, GAP_PX)
        self._inside.setSpacing(GAP_PX)
        self.area = QScrollArea()
        self.area.setWidget(inside)
        self.area.setWidgetResizable(True)
        self.area.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.area.setFrameShape(QFrame.Shape.NoFrame)
        self.area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.area.verticalScrollBar().rangeChanged.connect(self._make_room)
        self._make_preset()
        self._make_tiers()
        self.column.addWidget(self.area, 1)
        self.column.addWidget(self._make_state())
        self.column.addWidget(self.plan)
        self._inside.addWidget(self.axis)
        self._inside.addWidget(line())
        self._make_rows()
        self.sections["text"] = Section("Recipe as text", unfolded=True)
        self.sections["text"].rows.addWidget(self.text)
        self._inside.addWidget(self.sections["text"])
        self._inside.addStretch(1)

    def _make_room(self, _: int, most: int) -> None:
        """Let the scroll bar stand in the margin, so that no field changes its width."""
        bar_px = self.area.verticalScrollBar().sizeHint().width() if most > 0 else 0
        self._inside.setContentsMargins(MARGIN_PX, 0, MARGIN_PX - bar_px, GAP_PX)

    def _make_state(self) -> QWidget:
        """Where it says how the slice in view stands to the recipe.

        Below the fields and not above them, so that nothing moves under the mouse.
        """
        self.state = QWidget()
        column = QVBoxLayout(self.state)
        column.setContentsMargins(MARGIN_PX, 0, MARGIN_PX, 4)
        column.setSpacing(2)
        self.trouble = label("", "wrong", wrap=True)
        self.hint = label("", "caution", wrap=True)
        column.addWidget(self.trouble)
        column.addWidget(self.hint)
        return self.state

    def _make_preset(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(GAP_PX)
        name = label("Preset", "faint")
        name.setFixedWidth(48)
        self.preset = CalmCombo()
        self.preset.setAccessibleName("Preset")
        name.setBuddy(self.preset)
        self.reset = QToolButton()
        self.reset.setToolTip("Resets the recipe to the preset; the axis stays")
        self.reset.setAccessibleName("Reset to preset")
        self.reset.clicked.connect(self.reset_preset)
        row.setContentsMargins(MARGIN_PX, 4, MARGIN_PX, 0)
        row.addWidget(name)
        row.addWidget(self.preset, 1)
        self.header.insertWidget(self.header.count() - 2, self.reset)
        self.column.addLayout(row)
        self.preset.activated.connect(self._preset_chosen)

    def _make_tiers(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(0)
        self._tier_group = QButtonGroup(self)
        self.tiers: dict[Tier, QToolButton] = {}
        for tier in TIERS:
            tab = QToolButton()
            tab.setText(tier.capitalize())
            tab.setToolTip(_TIPS[tier])
            tab.setCheckable(True)
            tab.setChecked(tier == self._tier)
            set_role(tab, "tab")
            tab.clicked.connect(lambda _=False, tier=tier: self._session.remember(tier=tier))
            self._tier_group.addButton(tab)
            self.tiers[tier] = tab
            row.addWidget(tab)
        row.addStretch(1)
        self.sweep_button = button("Sweep…", self._book["recon.sweep"].trigger)
        self.sweep_button.setToolTip(self._book["recon.sweep"].toolTip())
        row.addWidget(self.sweep_button)
        row.setContentsMargins(MARGIN_PX, 4, MARGIN_PX, 4)
        self.column.addLayout(row)

    def _make_rows(self) -> None:
        """The few that matter stand first, in every tier; the others in sections below."""
        self.rows: dict[str, FieldRow] = {}
        self.sections: dict[str, Section] = {}
        for info in all_fields():
            self.rows[info.path] = row_for(info, self._set, self._session.settle_recipe)
            if info.tier == "simple":
                self._inside.addWidget(self.rows[info.path])
            if info.path == "rings.0.method":
                self.further_rings = label("", "small", wrap=True)
                self._inside.addWidget(self.further_rings)
        for name in SECTIONS:
            section = Section(name, unfolded=name in (RINGS, ENGINE))
            for info in all_fields():
                if info.section == name and info.tier != "simple":
                    section.rows.addWidget(self.rows[info.path])
            self.sections[name] = section
            self._inside.addWidget(section)

    # -- what is known -----------------------------------------------------------------

    async def _learn(self) -> None:
        presets = await answer_of(self._services.desk.presets())
        self._presets = presets.rows
        self._fill_presets()
        engines = await answer_of(self._services.desk.engines())
        self._engines = engines.rows
        self._offer_engines()
        quick = frozenset(row.name for row in engines.rows if row.ok and not row.slow)
        self.maker.know_engines(quick)

    def _fill_presets(self) -> None:
        with QSignalBlocker(self.preset):
            self.preset.clear()
            for row in self._presets:
                self.preset.addItem(row.name, row.name)
                self.preset.setItemData(
                    self.preset.count() - 1, row.description, Qt.ItemDataRole.ToolTipRole
                )
        self._show_preset(self._session.recipe)

    def _offer_engines(self) -> None:
        engines, algorithms = self.rows["engine.name"], self.rows["engine.algorithm"]
        if isinstance(engines, ChoiceRow) and self._engines:
            engines.set_choices(
                [(row.name, row.name) for row in self._engines],
                [(row.name, f"{row.reason} {row.fix}") for row in self._engines if not row.ok],
            )
        name = self._offered = self._session.recipe.engine.name
        own = next((row.algorithms for row in self._engines if row.name == name), ())
        if isinstance(algorithms, ChoiceRow):
            usual = f"{own[0]} (usual)" if own else "usual"
            algorithms.set_choices([("", usual), *((item, item) for item in own)])

    # -- showing -----------------------------------------------------------------------

    def _show(self, recipe: Recipe) -> None:
        fields = shown_fields(recipe, self._tier)
        shown = {info.path for info in fields}
        headed = {info.section for info in fields if info.tier != "simple"}
        if recipe.engine.name != self._offered:
            self._offer_engines()
        for path, row in self.rows.items():
            if path in shown:
                row.show_recipe(recipe)
            row.setVisible(path in shown)
        further = further_rings_words(recipe)
        self.further_rings.setText(further)
        self.further_rings.setVisible(bool(further))
        for name in SECTIONS:
            self.sections[name].setVisible(name in headed)
        self.sections["text"].setVisible(self._tier == "all")
        self._show_preset(recipe)

    def _show_preset(self, recipe: Recipe) -> None:
        """Name the preset; what differs from it is said beside the name."""
        with QSignalBlocker(self.preset):
            place = self.preset.findData(recipe.name)
            own = self.preset.findData(None)
            if own >= 0:
                self.preset.removeItem(own)
            for k, row in enumerate(self._presets):
                self.preset.setItemText(k, row.name)
            if place >= 0:
                self.preset.setItemText(place, preset_words(recipe, self._presets))
            else:
                self.preset.addItem(preset_words(recipe, self._presets), None)
                place = self.preset.count() - 1
            self.preset.setCurrentIndex(place)
        self.preset.setToolTip(recipe.description or "A recipe of your own")
        self.reset.setEnabled(is_changed(recipe, self._presets))

    def _settings_changed(self, settings: Settings) -> None:
        if settings.tier != self._tier:
            self._tier = settings.tier
            self.tiers[self._tier].setChecked(True)
            self._show(self._session.recipe)

    def _allow(self) -> None:
        self.sweep_button.setEnabled(self._book["recon.sweep"].isEnabled())

    def _say(self, state: PreviewState) -> None:
        stale = "The slice in view is not of this recipe." if state.stale else ""
        words = " ".join(text for text in (state.waits, stale) if text and not state.making)
        self.trouble.setText(state.trouble)
        self.trouble.setVisible(bool(state.trouble))
        self.hint.setText(words)
        self.hint.setVisible(bool(words))
        self.state.setVisible(bool(state.trouble or words))

    # -- changing ----------------------------------------------------------------------

    def _set(self, info: FieldInfo, value: Any) -> None:
        path, plain = assignment(self._session.recipe, info, value)
        self._session.set_setting(path, plain, touch=info.path)

    def _preset_chosen(self) -> None:
        name = self.preset.currentData()
        if name is not None:
            self.take_preset(name)

    def take_preset(self, name: str) -> None:
        """Take a preset; the axis that a person gave for the scan stays."""
        row = next((row for row in self._presets if row.name == name), None)
        if row is not None:
            self._session.set_recipe(with_own_center(row.recipe, self._session.recipe))
            self._session.settle_recipe()
        self._show_preset(self._session.recipe)

    def reset_preset(self) -> None:
        """Take back every change of the preset."""
        self.take_preset(self._session.recipe.name)

    def renew_icons(self) -> None:
        """Draw in the theme's colours."""
        self.reset.setIcon(icon("retry"))
        for section in self.sections.values():
            section.renew_icons()
        for part in (self.axis, self.plan, self.text, self.sweep):
            part.renew_icons()

    def close(self) -> bool:
        """Put away: end timers, cancel what was asked for."""
        for part in (self.maker, self.axis, self.plan, self.text, self.sweep):
            part.close()
        return super().close()
