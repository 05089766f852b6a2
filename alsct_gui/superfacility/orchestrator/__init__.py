"""Flows of a facility: the orchestrator that other programs use, and its adapter for Prefect."""
