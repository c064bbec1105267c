-- PostgreSQL's image makes the database lab and runs this once, beside an empty data folder.
create database mlflow;
